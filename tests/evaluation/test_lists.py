import numpy as np
import pytest

from irisrec.data.dataset import pairs_matrix
from irisrec.data.split import Split
from irisrec.evaluation.calibration import calibrate
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.lists import intra_list_diversity, list_measures
from irisrec.evaluation.negatives import sample_negatives
from irisrec.models.popularity import Popularity


def matrix(pairs, shape):
    return pairs_matrix(*np.array(pairs).T, shape)


def test_lists_by_hand():
    train = matrix([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1)], (4, 4))  # popularity 4, 2, 0, 0
    top = np.array([[1, 2], [2, -1]])
    found = list_measures(top, train[:2], train)
    assert found["coverage"] == 0.5
    assert found["gini"] == pytest.approx((3 * 2 + 1 * 1 - 1 * 0 - 3 * 0) / (4 * 3))
    assert found["novelty"] == pytest.approx((1 + 2 + 2) / 3), "an item that nobody had counts as had by one"
    percentiles = [7 / 8, 5 / 8, 1 / 4, 1 / 4]
    lists = np.mean([(percentiles[1] + percentiles[2]) / 2, percentiles[2]])
    histories = (percentiles[0] + percentiles[1]) / 2
    assert found["popularity_lists"] == pytest.approx(lists)
    assert found["popularity_bias"] == pytest.approx(lists - histories)


def test_diversity_is_the_mean_over_pairs_of_items_that_have_the_modality():
    rng = np.random.default_rng(0)
    values, present = rng.normal(size=(30, 5)).astype(np.float32), rng.random(30) < 0.7
    top = np.array([rng.choice(30, 6, replace=False) for _ in range(20)])
    top[3, 4:] = -1
    expected = []
    for row in top:
        kept = [i for i in row if i >= 0 and present[i]]
        pairs = [(a, b) for a in kept for b in kept if a < b]
        if pairs:
            norm = np.linalg.norm
            expected.append(
                np.mean([1 - values[a] @ values[b] / norm(values[a]) / norm(values[b]) for a, b in pairs])
            )
    assert intra_list_diversity(top, values, present) == pytest.approx(np.mean(expected), abs=1e-5)
    assert intra_list_diversity(top, values, np.zeros(30, bool)) is None


def test_lists_hold_the_first_candidates_and_nothing_masked():
    train = matrix([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 2)], (3, 4))
    split = Split(train, matrix([(0, 3)], (3, 4)), matrix([(0, 2), (2, 1)], (3, 4)))
    result = evaluate(Popularity(4).fit(train), split, EvaluationConfig(cutoffs=(1, 3), n_sampled=0))
    # user 0 has one candidate left, item 2; user 2 has items 1 and 3, in this order
    assert result.lists["coverage@1"] == 0.5
    assert result.lists["coverage@3"] == 0.75
    assert result.to_json()["lists"] == result.lists


def test_true_probabilities_are_calibrated_and_false_ones_are_not():
    rng = np.random.default_rng(0)
    scores = rng.normal(-1.5, 1, 200_000)
    is_target = rng.random(len(scores)) < 1 / (1 + np.exp(-scores))
    targets, others = scores[is_target], scores[~is_target]
    sampled = rng.choice(others, len(others) // 5, replace=False)  # weights make up for those left out
    ratio = len(others) / len(targets)
    good = calibrate(targets, sampled, ratio)
    assert good.ece < 0.01
    np.testing.assert_allclose(good.probability, good.observed, atol=0.03)
    assert np.allclose(good.share, 0.1, atol=0.02)
    assert calibrate(targets + 1, sampled + 1, ratio).ece > 0.1
    assert calibrate(targets, sampled, ratio / 5).ece > 0.1, (
        "of another world the same probabilities are false"
    )
    assert "together" in good.weights


def test_one_probability_for_everything_is_one_bin():
    found = calibrate(np.zeros(10), np.zeros(10), 1.0)
    assert found.probability == (0.5,)
    assert found.observed == (0.5,)
    assert found.ece == 0


def test_sampling_by_popularity_draws_in_proportion_without_repetition():
    known = matrix([(0, 0), (1, 3)], (2, 5))
    weights = np.array([1.0, 1.0, 2.0, 4.0, 8.0])
    counts = np.zeros((2, 5))
    for seed in range(2000):
        drawn, _ = sample_negatives(known, np.arange(2), 1, seed, weights)
        counts += drawn.toarray()
    assert np.allclose(counts[0] / 2000, [0, 1 / 15, 2 / 15, 4 / 15, 8 / 15], atol=0.04)
    assert np.allclose(counts[1] / 2000, [1 / 12, 1 / 12, 2 / 12, 0, 8 / 12], atol=0.04)
    drawn, notes = sample_negatives(known, np.arange(2), 4, 0, weights)
    assert drawn.toarray().sum(1).tolist() == [4, 4]
    assert not notes
