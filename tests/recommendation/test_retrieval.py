"""A list found by retrieval is the list of the whole ranking: the same items where they were found, always as long."""

import numpy as np
import polars as pl
import pytest
import torch

from irisrec.data.catalog import Catalog
from irisrec.errors import ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.recommendation import retrieval
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules

N, N_TASTES, DIM = 600, 12, 8
HISTORIES = [[3, 15, 27, 100], [5], [], [11, 23, 300, 312], [0, 1, 2, 599]]


@pytest.fixture(scope="module")
def model():
    """Tastes in factors and content, and an attention that tells history items apart: logits of deviation 1.5."""
    generator = torch.Generator().manual_seed(0)
    taste = torch.arange(N) % N_TASTES
    content = (
        torch.randn(N_TASTES, 6, generator=generator)[taste] + torch.randn(N, 6, generator=generator) / 2
    )
    config = ModelConfig(name="multimodal-iris", dim=DIM, hidden=8, alpha=0.5, init_std=0.3)
    found = build_model(
        config, N, {"text": content}, {"text": torch.rand(N, generator=generator) < 0.9}, seed=1
    )
    tastes = torch.randn(N_TASTES, DIM, generator=generator) / 2
    with torch.no_grad():
        for factors in (found.history_factors, found.candidate_factors):
            factors.add_(tastes[taste])
        found.bias.copy_(torch.randn(N, generator=generator) - 3)
        rows = torch.arange(0, N, 7)
        found.attention.output.mul_(1.5 / found.pair_block(rows, rows).logits.std())
    found.is_probabilistic = True
    return found.eval()


def recommender(model, exact: bool) -> Recommender:
    kinds = [f"k{item % 3}" for item in range(N)]
    catalog = Catalog.of(
        pl.DataFrame({"item_id": list(range(N)), "title": [str(i) for i in range(N)], "kind": kinds})
    )
    return Recommender(model, catalog, exact=exact)


@pytest.fixture
def both(model, monkeypatch):
    """One that retrieves 64 candidates by each linear score, and one that ranks all 600 items."""
    monkeypatch.setattr(retrieval, "FROM_ITEMS", N)
    monkeypatch.setattr(retrieval, "_SAMPLE", 40)
    monkeypatch.setattr(retrieval, "LEAST", 64)
    return recommender(model, exact=False), recommender(model, exact=True)


def lists(recommender, **options):
    return [
        [(found.item_id, found.score) for found in recommended]
        for recommended in recommender.recommend_many(HISTORIES, k=5, modalities=False, **options)
    ]


def test_nearly_all_of_the_whole_ranking_is_found_with_its_exact_scores(both):
    retrieved, whole = (lists(one) for one in both)
    shared = [
        len({item for item, _ in a} & {item for item, _ in b}) for a, b in zip(retrieved, whole, strict=True)
    ]
    assert np.mean(shared) >= 4
    exact = [dict(lists_) for lists_ in lists(both[1], rules=Rules())]
    for ours, theirs in zip(retrieved, exact, strict=True):
        for item, score in ours:
            if item in theirs:
                assert score == pytest.approx(theirs[item], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(allow=tuple(range(7, 600, 100))),
        Rules(deny=tuple(range(0, 600, 2)), where=("kind=k1",)),
        Rules(exclude_seen=False, allow=(3, 15, 27, 100, 5, 599)),
        Rules(at_most={"kind": 1}),
        Rules(min_probability=0.25),
    ],
)
def test_rules_hold_and_a_list_is_short_only_where_the_whole_ranking_is(both, rules):
    retrieved, whole = (lists(one, rules=rules) for one in both)
    for history, ours, theirs in zip(HISTORIES, retrieved, whole, strict=True):
        assert len(ours) == len(theirs)
        items = [item for item, _ in ours]
        assert len(set(items)) == len(items)
        assert [s for _, s in ours] == sorted((s for _, s in ours), reverse=True)
        if rules.exclude_seen:
            assert not set(items) & set(history)
        if rules.allow is not None:
            assert items == [item for item, _ in theirs]
        assert all(i % 3 == 1 and i % 2 for i in items) or not rules.where


def test_it_is_chosen_by_the_size_of_the_catalog_and_said(model, both, capsys):
    lists(both[0])
    assert "retrieval: of 600 items the 64 best by a linear score" in capsys.readouterr().err
    lists(both[1])
    assert "retrieval" not in capsys.readouterr().err


def test_fism_is_linear_so_nothing_is_missed(monkeypatch):
    monkeypatch.setattr(retrieval, "FROM_ITEMS", N)
    monkeypatch.setattr(retrieval, "LEAST", 64)
    fism = build_model(ModelConfig(name="fism", dim=DIM, init_std=0.5), N, seed=2).eval()
    with torch.no_grad():
        fism.bias.normal_(generator=torch.Generator().manual_seed(3))
    ours, theirs = lists(recommender(fism, False)), lists(recommender(fism, True))
    for one, other in zip(ours, theirs, strict=True):
        assert [item for item, _ in one] == [item for item, _ in other]


def test_scores_that_are_not_finite_are_refused(monkeypatch):
    monkeypatch.setattr(retrieval, "FROM_ITEMS", N)
    broken = build_model(ModelConfig(name="fism", dim=DIM), N).eval()
    with torch.no_grad():
        broken.history_factors.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        recommender(broken, exact=False).recommend(history=[1])
