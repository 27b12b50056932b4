"""An explanation is made of the score's own parts, and what it says would be is what would be."""

import json

import pytest

from irisrec.errors import DataError
from irisrec.recommendation.history import History
from irisrec.recommendation.rules import Rules
from tests.recommendation.small import MODELS, N_ITEMS, recommender

HISTORY = ["i02", "i05", "i07", "i11", "i17"]
OTHERS = [f"i{item:02}" for item in range(N_ITEMS) if f"i{item:02}" not in HISTORY]


@pytest.fixture(params=MODELS)
def small(request):
    return recommender(MODELS[request.param])


def ranking(small, history, deny=()) -> list[str]:
    found = small.recommend(history=history, k=N_ITEMS, n_reasons=0, rules=Rules(deny=deny))
    return [one.item_id for one in found]


@pytest.mark.parametrize("item", [*OTHERS[:4], "i05"])
def test_all_parts_sum_to_the_score(small, item):
    found = small.explain(item, history=HISTORY, n_reasons=2)
    named = sum(reason.contribution for reason in (*found.because, *found.against))
    assert found.bias + named + found.others == pytest.approx(found.score, abs=1e-4)
    assert found.bias + found.ids + sum(found.modalities.values()) == pytest.approx(found.score, abs=1e-4)
    n_named = len(found.because) + len(found.against)
    assert n_named + found.n_others == len(HISTORY) - (item in HISTORY)
    for reason in (*found.because, *found.against):
        assert set(reason.modalities) == set(found.modalities) == set(small.model.content_masks)


def test_the_score_is_that_of_the_list_and_the_rank_the_place_in_it(small):
    whole = small.recommend(history=HISTORY, k=N_ITEMS)
    for place, listed in enumerate(whole, 1):
        found = small.explain(listed.item_id, history=HISTORY, k=4)
        assert (found.rank, found.n_candidates) == (place, len(whole))
        assert found.is_recommended == (place <= 4)
        assert found.score == pytest.approx(listed.score, abs=1e-5)
        assert found.probability == pytest.approx(listed.probability)


def test_score_and_rank_without_a_history_item_are_those_of_a_history_without_it(small):
    for item in OTHERS[::5]:
        found = small.explain(item, history=HISTORY, n_reasons=len(HISTORY))
        for reason in (*found.because, *found.against):
            left = [id for id in HISTORY if id != reason.item_id]
            again = small.explain(item, history=left)
            assert reason.score_without == pytest.approx(again.score, abs=1e-4)
            assert ranking(small, left, deny=[reason.item_id]).index(item) + 1 == reason.rank_without


def test_decisive_items_are_those_without_which_the_item_moves_over_the_edge(small):
    for item in OTHERS:
        found = small.explain(item, history=HISTORY, k=5, n_reasons=len(HISTORY))
        moved = [r for r in (*found.because, *found.against) if (r.rank_without <= 5) != found.is_recommended]
        assert found.n_decisive == len(moved)
        would = "not have seen it" if found.is_recommended else "have seen it"
        told = [words for words in found.in_words() if f"you would {would}" in words]
        assert len(told) == len(moved)


def test_the_gap_to_the_last_recommended_item_is_told_in_full(small):
    places = ranking(small, HISTORY)
    found = small.explain(places[9], history=HISTORY, k=4)
    behind, last = found.behind, small.explain(places[3], history=HISTORY)
    assert behind.item_id == places[3]
    assert behind.gap == pytest.approx(last.score - found.score, abs=1e-5)
    parts = behind.bias + behind.ids + sum(behind.modalities.values())
    assert parts == pytest.approx(behind.gap, abs=1e-4)
    assert [lead.there - lead.here for lead in behind.leads] == sorted(
        (lead.there - lead.here for lead in behind.leads), reverse=True
    )
    assert all(lead.there > lead.here for lead in behind.leads)
    assert small.explain(places[3], history=HISTORY, k=4).behind is None


def test_an_item_of_the_history_is_no_reason_for_itself_and_never_recommended(small):
    found = small.explain("i05", history=HISTORY, k=N_ITEMS, n_reasons=9)
    assert found.in_history
    assert not found.is_recommended
    assert found.behind is None
    assert found.n_decisive == 0
    assert "i05" not in {reason.item_id for reason in (*found.because, *found.against)}
    assert "is in the history and is not recommended again" in found.in_words()[0]


def test_an_empty_history_has_no_reasons_but_a_rank(small):
    found = small.explain("i04", history=[])
    assert (found.because, found.against, found.n_others) == ((), (), 0)
    assert 1 <= found.rank <= N_ITEMS
    assert found.bias == pytest.approx(found.score, abs=1e-6)
    assert "No item of the history speaks for it." in found.in_words()


def test_weights_count_in_what_would_be(small):
    weighted = History(HISTORY, weights=[1, 4, 1, 0.5, 2])
    found = small.explain(OTHERS[0], history=weighted, n_reasons=5)
    (reason,) = [r for r in (*found.because, *found.against) if r.item_id == "i05"]
    left = History(["i02", "i07", "i11", "i17"], weights=[1, 1, 0.5, 2])
    assert reason.score_without == pytest.approx(small.explain(OTHERS[0], history=left).score, abs=1e-4)


def test_it_is_json_with_its_words(small):
    found = small.explain(OTHERS[3], history=HISTORY)
    assert json.loads(json.dumps(found.to_json()))["words"] == found.in_words()


def test_prepared_or_not_the_explanation_is_the_same(small):
    at_once = recommender(MODELS["content-factors"], prepare=False).explain(OTHERS[1], history=HISTORY)
    ready = recommender(MODELS["content-factors"]).explain(OTHERS[1], history=HISTORY)
    assert [r.item_id for r in ready.because] == [r.item_id for r in at_once.because]
    assert ready.modalities == pytest.approx(at_once.modalities, abs=1e-5)


def test_a_model_without_reasons_says_so_in_a_sentence():
    found = recommender({"name": "popularity"}).explain("i03", history=HISTORY)
    assert found.in_words()[1:] == [
        "The model does not score by history items, so it has no reasons to give."
    ]


def test_a_model_of_known_users_ranks_for_them():
    small = recommender({"name": "bpr-mf"})
    found = small.explain("i03", "u4", k=3)
    listed = [one.item_id for one in small.recommend("u4", k=N_ITEMS)]
    assert found.in_history or listed.index("i03") + 1 == found.rank
    assert not found.has_reasons


def test_what_the_item_does_not_have_is_said():
    small = recommender(MODELS["content-factors"])
    lacking = int((~small.model.content_masks["image"]).nonzero()[0, 0])
    found = small.explain(f"i{lacking:02}", history=HISTORY)
    assert "image" in found.missing
    assert any("no picture" in words and "which the model reads" in words for words in found.in_words())


def test_too_many_modalities_are_not_split_and_everything_else_is_told():
    widths = {f"m{n}": 2 for n in range(9)}
    small = recommender({"name": "add-iris"}, widths)
    found = small.explain(OTHERS[0], history=HISTORY)
    assert (found.ids, found.modalities) == (None, {})
    assert found.because or found.against
    assert small.recommend(history=HISTORY, k=1)[0].because[0].modalities == {}


def test_wrong_questions_are_refused_in_a_sentence():
    small = recommender(MODELS["fism"])
    with pytest.raises(DataError, match="either a user or a history, got neither"):
        small.explain("i01")
    with pytest.raises(DataError, match="either a user or a history, got both"):
        small.explain("i01", "u1", history=[])
    with pytest.raises(DataError, match="'nope'"):
        small.explain("nope", history=[])
    with pytest.raises(DataError, match="k must be at least 1, got 0"):
        small.explain("i01", history=[], k=0)
