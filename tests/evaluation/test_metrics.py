import numpy as np
import pytest

from irisrec.data.dataset import pairs_matrix
from irisrec.evaluation.metrics import hit_ratio, ndcg
from irisrec.evaluation.negatives import sample_negatives


def test_one_target_by_hand():
    ranks, owners = np.array([1, 2, 10, 11]), np.arange(4)
    assert hit_ratio(ranks, owners, 4, 10).tolist() == [1, 1, 1, 0]
    assert ndcg(ranks, owners, 4, 10) == pytest.approx([1, 1 / np.log2(3), 1 / np.log2(11), 0])


def test_several_targets_by_hand():
    ranks, owners = np.array([2, 1, 7]), np.array([0, 0, 0])
    ideal = 1 + 1 / np.log2(3) + 1 / np.log2(4)
    gained = 1 / np.log2(3) + 1
    assert ndcg(ranks, owners, 1, 5) == pytest.approx([gained / ideal])
    assert hit_ratio(ranks, owners, 1, 5).tolist() == [1]


def test_more_targets_than_places_can_still_be_perfect():
    assert ndcg(np.array([1, 2, 3]), np.zeros(3, int), 1, 2) == pytest.approx([1.0])


def test_a_user_without_targets_has_no_value():
    assert np.isnan(hit_ratio(np.array([1]), np.array([1]), 2, 10)).tolist() == [True, False]
    assert np.isnan(ndcg(np.array([1]), np.array([1]), 2, 10)).tolist() == [True, False]


def test_sampled_negatives_are_distinct_unknown_and_uniform():
    known = pairs_matrix(np.array([0, 0, 0, 1]), np.array([0, 4, 5, 9]), (2, 10))
    counts = np.zeros((2, 10))
    for seed in range(3000):
        drawn, notes = sample_negatives(known, np.arange(2), 3, seed)
        assert drawn.sum(1).tolist() == [3, 3] if drawn.sum(1).ndim == 1 else [[3], [3]]
        counts += drawn.toarray()
        assert not notes
    assert not counts[known.toarray() > 0].any()
    assert np.allclose(counts[0][known.toarray()[0] == 0] / 3000, 3 / 7, atol=0.05)
    assert np.allclose(counts[1][known.toarray()[1] == 0] / 3000, 3 / 9, atol=0.05)


def test_too_few_items_to_sample_from_are_all_taken_and_counted():
    known = pairs_matrix(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 3]), (2, 5))
    drawn, notes = sample_negatives(known, np.arange(2), 3, 0)
    assert drawn.toarray()[0].tolist() == [0, 0, 0, 1, 1]
    assert [(note.kind, note.count) for note in notes] == [("few_negatives", 1)]
