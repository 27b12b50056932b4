"""Rules hold exactly and change nothing else: every list is compared with the whole ranking, walked by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisrec.data.catalog import Catalog
from irisrec.errors import ConfigError, DataError, ModelError
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.results import Recommendation
from irisrec.recommendation.rules import Rules
from tests.recommendation.test_contract import N_ITEMS, trained

IDS = [f"i{i:02}" for i in range(N_ITEMS)]
KINDS = ["a", "b|c", "c", None, "a|c"]
HISTORY = ["i00", "i03", "i07"]


def shop(name: str) -> Recommender:
    recommender, _ = trained(name)
    kinds = [KINDS[i % len(KINDS)] for i in range(N_ITEMS)]
    columns = {"kind": kinds, "price": [float(i * 7 % 10) for i in range(N_ITEMS)]}
    catalog = Catalog.of(
        recommender.catalog.frame.with_columns(**{n: pl.Series(v) for n, v in columns.items()})
    )
    return Recommender(recommender.model, catalog, recommender.known)


@pytest.fixture(scope="module")
def iris() -> Recommender:
    return shop("multimodal-iris")


@pytest.fixture(scope="module")
def ease() -> Recommender:
    return shop("ease")


def kinds_of(item: str) -> list[str]:
    return (KINDS[int(item[1:]) % len(KINDS)] or "").split("|") if KINDS[int(item[1:]) % len(KINDS)] else []


def assert_same(found: list, expected: list) -> None:
    """To the bit, but for the split among modalities, which is computed anew for each list."""
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours.because, theirs.because, strict=True):
            for name in ("modalities", "relevance_modalities"):
                assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-5)
    assert list(map(unsplit, found)) == list(map(unsplit, expected))


def unsplit(found: Recommendation) -> Recommendation:
    because = (replace(reason, modalities={}, relevance_modalities={}) for reason in found.because)
    return replace(found, because=tuple(because))


rules = st.builds(
    Rules,
    allow=st.none() | st.lists(st.sampled_from(IDS), unique=True).map(tuple),
    deny=st.lists(st.sampled_from(IDS), max_size=8).map(tuple),
    where=st.lists(st.sampled_from(["kind!=b", "price>=2", "kind=a,c"]), unique=True, max_size=2).map(tuple),
    at_most=st.sampled_from([{}, {"kind": 1}, {"kind": 3}, {"price": 1, "kind": 4}]),
    exclude_seen=st.booleans(),
    min_probability=st.none() | st.sampled_from([0.01, 0.2, 0.5]),
    popularity_damping=st.sampled_from([0.0, 0.5]),
)


@given(rules, st.integers(1, N_ITEMS + 2), st.lists(st.sampled_from(IDS), unique=True, max_size=6))
def test_a_list_is_the_ranking_of_all_items_walked_by_the_rules(iris, rules, k, history):
    everything = Rules(exclude_seen=False)
    whole = {r.item_id: r for r in iris.recommend(history=history, k=N_ITEMS, rules=everything)}
    assert len(whole) == N_ITEMS
    popularity = dict(zip(IDS, iris.known.counts, strict=True))

    def rank_by(item: str) -> float:
        return whole[item].score - rules.popularity_damping * np.log1p(popularity[item])

    expected: list[str] = []
    taken: Counter = Counter()
    for item in sorted(IDS, key=lambda item: (-rank_by(item), item)):
        index = int(item[1:])
        price, kinds = float(index * 7 % 10), kinds_of(item)
        if (
            (rules.allow is not None and item not in rules.allow)
            or item in rules.deny
            or ("kind!=b" in rules.where and "b" in kinds)
            or ("price>=2" in rules.where and price < 2)
            or ("kind=a,c" in rules.where and not {"a", "c"} & set(kinds))
            or (rules.exclude_seen and item in history)
            or (rules.min_probability is not None and whole[item].probability < rules.min_probability)
        ):
            continue
        values = [(column, v) for column in rules.at_most for v in (kinds if column == "kind" else [price])]
        if any(taken[value] >= rules.at_most[value[0]] for value in values):
            continue
        taken.update(values)
        expected.append(item)
    found = iris.recommend(history=history, k=k, rules=rules)
    assert [r.item_id for r in found] == expected[:k]
    assert_same(found, [whole[r.item_id] for r in found])  # scores, probabilities and reasons are as without


@pytest.mark.parametrize("by", ["learned", "image"])
def test_diversity_trades_score_for_unlikeness_and_changes_no_reason(iris, by):
    plain = iris.recommend(history=HISTORY, k=6)
    whole = {r.item_id: r for r in iris.recommend(history=HISTORY, k=N_ITEMS)}
    diverse = iris.recommend(history=HISTORY, k=6, rules=Rules(diversity=0.7, diversity_by=by))
    assert_same(diverse[:1], plain[:1])
    assert diverse != plain
    assert_same(diverse, [whole[r.item_id] for r in diverse])

    def tastes(found):
        return len({int(r.item_id[1:]) % 3 for r in found})

    assert tastes(diverse) > tastes(plain)
    assert iris.recommend(history=HISTORY, k=6, rules=Rules(diversity=0.0)) == plain


def test_a_pool_that_limits_cannot_fill_the_list_from_is_gone_beyond(iris):
    rules = Rules(diversity=0.5, diversity_pool=2, at_most={"price": 1})
    found = iris.recommend(history=HISTORY, k=10, rules=rules)
    assert len({int(r.item_id[1:]) * 7 % 10 for r in found}) == len(found) == 10


def test_models_of_item_weights_can_be_diversified_by_what_they_learned(ease):
    assert len(ease.recommend(history=HISTORY, k=6, rules=Rules(diversity=0.5))) == 6


def test_many_users_and_histories_get_what_each_gets_alone(iris):
    rules = Rules(at_most={"kind": 2}, diversity=0.3)
    users = iris.users.series.to_list()[:7]
    one_by_one = [iris.recommend(user, k=4, rules=rules) for user in users]
    assert list(iris.recommend_many(users=iter(users), k=4, rules=rules)) == one_by_one
    histories = [iris.history_of(user) for user in users]
    assert list(iris.recommend_many(iter(histories), k=4, rules=rules)) == one_by_one


def test_histories_stream_through_a_bounded_number_at_a_time(iris, monkeypatch):
    monkeypatch.setattr("irisrec.recommendation.recommender._SCORES_AT_ONCE", 3 * N_ITEMS)
    read = []

    def endless():
        while True:
            read.append(1)
            yield ["i00"]

    lists = iris.recommend_many(endless(), k=1)
    for _ in range(4):
        next(lists)
    assert len(read) == 6


@pytest.mark.parametrize(
    ("model", "rules", "error", "sentence"),
    [
        ("iris", {"deny": ("i99",)}, DataError, "1 of 1 item id is not among the 24 known: 'i99'"),
        ("iris", {"where": ("colour=red",)}, DataError, "the catalog has no column 'colour'"),
        ("iris", {"at_most": {"kinds": 2}}, DataError, "no column 'kinds'; did you mean 'kind'"),
        ("ease", {"min_probability": 0.5}, ModelError, "needs probabilities, this model gives scores alone"),
        (
            "ease",
            {"diversity": 0.5, "diversity_by": "image"},
            ModelError,
            "diversity_by = 'image' is nothing that",
        ),
    ],
)
def test_rules_that_cannot_be_met_are_one_sentence(model, rules, error, sentence, request):
    with pytest.raises(error) as raised:
        request.getfixturevalue(model).recommend(history=HISTORY, rules=Rules(**rules))
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"at_most": {"kind": 0}}, "at least 1 item per value of 'kind' must be allowed, got 0"),
        ({"divresity": 0.5}, "unknown option rules.divresity; did you mean 'diversity'?"),
        ({"min_probability": 2}, "rules.min_probability"),
    ],
)
def test_rules_are_checked_when_they_are_read(values, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")):
        Rules.read(values, "rules")


def test_damping_needs_users_to_count(iris):
    stranger = Recommender(iris.model, iris.catalog)
    with pytest.raises(DataError, match="popularity_damping needs known users to count"):
        stranger.recommend(history=HISTORY, rules=Rules(popularity_damping=0.5))
