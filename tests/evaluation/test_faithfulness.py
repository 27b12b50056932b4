"""Curves of deletion and insertion, on models whose reasons are known to be right or wrong."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ModelError
from irisrec.evaluation.faithfulness import CHANCE, ORDERS, REASONS, SHARES, STEEPEST, measure_faithfulness
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Reasons
from irisrec.models.factory import build_model
from irisrec.models.linear import EASE
from tests.models.test_item_similarity import N, make

USERS = np.arange(2)
HISTORIES = csr_matrix(np.eye(5)[[0, 0]] + np.eye(5)[[1, 1]] + np.eye(5)[[2, 3]])


def additive(weights: dict[tuple[int, int], float], kind: type[EASE] = EASE) -> EASE:
    model = kind(5, 1.0)
    for (i, j), weight in weights.items():
        model.weights[i, j] = weight
    return model


def test_areas_are_those_computed_by_hand():
    """Items 0, 1 and 2 give 6, 3 and 1 to item 4: left by and by are 1, .4, .1 and 0 of the score."""
    model = additive({(0, 4): 6, (1, 4): 3, (2, 4): 1, (3, 4): 1})
    found = measure_faithfulness(model, HISTORIES, USERS[:1], k=1)
    assert found.mean(REASONS, "deletion") == pytest.approx((0.5 + 0.4 + 0.1) / 3)
    assert found.mean(REASONS, "insertion") == pytest.approx((0.6 + 0.9 + 0.5) / 3)
    np.testing.assert_allclose(found.curves[REASONS]["deletion"][[0, -1]], [1, 0])
    assert found.curves[REASONS]["deletion"][10] == pytest.approx(0.4 - 0.3 / 2)
    assert len(SHARES) == 21
    assert found.speed(REASONS) == pytest.approx(1)
    assert found.speed(CHANCE) == 0


def test_kept_is_the_share_that_is_gone_when_the_item_leaves_the_first():
    """Item 4 leads item 3 as long as item 0 is there; that it comes back to an equal place counts no more."""
    model = additive({(0, 4): 6, (1, 4): 3, (1, 3): 4, (2, 4): 1, (2, 3): 1})
    found = measure_faithfulness(model, HISTORIES, USERS[:1], k=1)
    assert found.mean(REASONS, "kept") == pytest.approx(1 / 3)
    never = measure_faithfulness(additive({(0, 4): 1, (1, 4): 1, (2, 4): 1}), HISTORIES, USERS[:1], k=2)
    assert never.mean(REASONS, "kept") == 1  # there are no more than two


class Wrong(EASE):
    """Says the opposite of what it does."""

    def reasons(self, history, candidates, weights=None):
        right = super().reasons(history, candidates, weights)
        return Reasons(right.relevance, right.similarity, -right.contribution, right.bias)


def test_wrong_reasons_are_found_out():
    weights = {(0, 4): 6, (1, 4): 3, (2, 4): 1, (3, 4): 0.5}
    found = measure_faithfulness(additive(weights, Wrong), HISTORIES, USERS, n_random=200)
    assert found.speed(REASONS) < -0.8
    assert found.mean(REASONS, "insertion") < found.mean(CHANCE, "insertion")


@pytest.mark.parametrize("name", ["nais", "multimodal-iris", "fism"])
def test_no_order_falls_faster_than_the_steepest_where_it_is_steepest_at_each_step(name):
    model = make(name=name, beta=0.9, alpha=0.5).float()
    known = csr_matrix((np.random.default_rng(0).random((30, N)) < 0.4).astype(np.float32))
    users = np.flatnonzero(np.diff(known.indptr) >= 2)
    found = measure_faithfulness(model, known, users, k=3)
    assert found.n_users + found.n_left_out == len(users)
    assert found.mean(STEEPEST, "deletion") <= found.mean(CHANCE, "deletion")
    assert {order: values.keys() for order, values in found.values.items()}.keys() == set(ORDERS)
    assert found.speed(REASONS) > 0.5


def test_histories_that_raise_nothing_are_left_out_and_counted():
    model = additive({(0, 4): -6, (0, 3): -6, (1, 4): -3, (1, 3): -3, (3, 2): 1, (3, 4): -1})
    found = measure_faithfulness(model, HISTORIES, USERS)
    assert (found.n_users, found.n_left_out) == (1, 1)
    with pytest.raises(ModelError, match="raises no score by a history"):
        measure_faithfulness(model, HISTORIES, USERS[:1])


def test_a_long_history_goes_in_twenty_parts():
    n = 60
    model = EASE(n, 1.0)
    model.weights[:, -1] = torch.linspace(2, 0.1, n)
    model.weights.fill_diagonal_(0)
    known = csr_matrix(np.concatenate([np.ones(50), np.zeros(10)])[None])
    found = measure_faithfulness(model, known, np.arange(1))
    assert found.speed(REASONS) == pytest.approx(1)
    assert np.all(np.diff(found.curves[REASONS]["deletion"]) < 0)


def test_the_same_seed_gives_the_same_numbers():
    model = additive({(0, 4): 6, (1, 4): 3, (2, 4): 1, (3, 4): 1})
    first, again = (measure_faithfulness(model, HISTORIES, USERS, seed=4) for _ in range(2))
    assert np.array_equal(first.values[CHANCE]["deletion"], again.values[CHANCE]["deletion"])


def test_a_model_without_reasons_is_refused():
    model = build_model(ModelConfig(name="popularity"), 5)
    with pytest.raises(ModelError, match="no reasons that could be judged"):
        measure_faithfulness(model, HISTORIES, USERS)
