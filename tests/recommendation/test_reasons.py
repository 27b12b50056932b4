"""Recommendations carry the split of their reasons; likeness is measured; items are compared in several ways."""

import numpy as np
import pytest
import torch

from irisrec.errors import DataError, ModelError
from irisrec.recommendation.likeness import Likeness
from tests.recommendation.small import MODELS, N_ITEMS, recommender

HISTORIES = [["i02", "i05", "i07", "i11"], ["i00"], ["i03", "i04", "i09"]]


@pytest.mark.parametrize("name", MODELS)
def test_the_split_of_each_reason_is_the_model_s(name):
    small = recommender(MODELS[name])
    for history in HISTORIES:
        rows = torch.from_numpy(np.sort(small.items.index(history)))
        for listed in small.recommend(history=history, k=5):
            column = torch.from_numpy(small.items.index([listed.item_id]))
            shares = small.model.modality_shares(rows, column)
            for reason in listed.because:
                at = rows.tolist().index(int(small.items.index([reason.item_id])[0]))
                for told, split in (
                    (reason.modalities, shares.contribution),
                    (reason.relevance_modalities, shares.relevance),
                ):
                    expected = {m: float(table[at, 0]) for m, table in split.modalities.items()}
                    assert told == pytest.approx(expected, abs=1e-5)


def test_many_at_once_are_split_as_one_alone_unless_that_is_not_wanted():
    small = recommender(MODELS["content-factors"])
    alone = [small.recommend(history=history, k=4) for history in HISTORIES]
    for ours, theirs in zip(small.recommend_many(HISTORIES, k=4), alone, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert [reason.item_id for reason in one.because] == [reason.item_id for reason in other.because]
            for mine, its in zip(one.because, other.because, strict=True):
                assert mine.modalities == pytest.approx(its.modalities, abs=1e-4)
                assert mine.alike == its.alike
    plain = [reason for found in small.recommend_many(HISTORIES, k=4, modalities=False) for one in found
             for reason in one.because]  # fmt: skip
    assert plain
    assert all(reason.modalities == {} and reason.alike == () for reason in plain)


def test_one_in_ten_pairs_is_alike_and_none_without_the_modality():
    small = recommender(MODELS["content-factors"])
    likeness, every = Likeness(small.model), torch.arange(N_ITEMS)
    for name, alike in likeness.alike(every, every).items():
        mask = small.model.content_masks[name]
        assert not alike[~mask].any()
        assert not alike[:, ~mask].any()
        assert torch.equal(alike, alike.T)
        pairs = alike & ~torch.eye(N_ITEMS, dtype=torch.bool)
        n = int(mask.sum())
        assert 0.05 < float(pairs.sum()) / (n * (n - 1)) < 0.15


def test_words_say_similar_only_where_the_pair_is_alike():
    small = recommender(MODELS["content-factors"])
    for history in HISTORIES:
        for listed in small.recommend(history=history, k=N_ITEMS, n_reasons=9):
            for reason in listed.because:
                if "similar" in reason.in_words():
                    assert reason.alike
                if " by " in reason.in_words():
                    assert reason.shared
                assert set(reason.alike) <= set(reason.shared)


def cosine(vectors: torch.Tensor, row: int) -> np.ndarray:
    units = torch.nn.functional.normalize(vectors, dim=1)
    return (units @ units[row]).numpy()


def test_similar_items_are_the_nearest_by_what_was_asked_for():
    small = recommender(MODELS["content-factors"])
    model = small.model
    has = {m: mask.numpy() for m, mask in model.content_masks.items()}
    row = int(np.flatnonzero(has["image"] & has["text"])[0])
    relevance = model.reasons(torch.tensor([row]), torch.arange(N_ITEMS)).relevance[0]
    ways = {
        "learned": cosine(model.candidate_vectors(torch.arange(N_ITEMS)), row),
        "relevance": relevance.numpy(),
        "text": np.where(has["text"], cosine(model.content_vectors["text"], row), -np.inf),
    }
    for way, values in ways.items():
        found = small.similar_items(f"i{row:02}", 5, way)
        values[row] = -np.inf
        assert [one.item_id for one in found] == [f"i{i:02}" for i in np.argsort(-values, kind="stable")[:5]]
        assert [one.similarity for one in found] == pytest.approx(sorted(values)[::-1][:5], abs=1e-5)
    everything = small.similar_items(f"i{row:02}", 100, "text")
    assert len(everything) == int(has["text"].sum()) - 1


def test_what_cannot_be_compared_is_said_with_what_can():
    small = recommender(MODELS["content-factors"])
    with pytest.raises(
        ModelError, match=r"cannot be compared by 'picture'; it has learned, relevance, image, text"
    ):
        small.similar_items("i06", by="picture")
    lacking = int((~small.model.content_masks["image"]).nonzero()[0, 0])
    with pytest.raises(DataError, match=f"Item {lacking:02} has no image to compare others with"):
        small.similar_items(f"i{lacking:02}", by="image")
    with pytest.raises(ModelError, match="gives an item the same relevance for all others, 1,"):
        recommender(MODELS["fism"]).similar_items("i06", by="relevance")
    with pytest.raises(DataError, match="k must be at least 1, got 0"):
        small.similar_items("i06", 0)
    with pytest.raises(ModelError, match="Popularity learns no vectors"):
        recommender({"name": "popularity"}).similar_items("i06")
