from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.models.histories import Histories, history_sum

HISTORIES = Histories.of([[3, 1], [], [0, 1, 2, 5], [5]])


def test_sums_over_histories_and_their_gradient_equal_a_dense_product():
    dense = HISTORIES.membership(None, 6).double()
    table = torch.randn(6, 7, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 7, dtype=torch.float64)
    ours, theirs = history_sum(HISTORIES, table), dense @ table
    torch.testing.assert_close(ours, theirs)
    (a,) = torch.autograd.grad((ours * weight).sum(), table)
    (b,) = torch.autograd.grad((theirs * weight).sum(), table)
    torch.testing.assert_close(a, b)


def test_membership_of_some_candidates_is_those_columns_of_all():
    columns = torch.tensor([0, 3, 5])
    assert torch.equal(HISTORIES.membership(columns, 3), HISTORIES.membership(None, 6)[:, columns])


def test_parts_and_kept_entries_stay_with_their_users():
    matrix = csr_matrix(HISTORIES.membership(None, 6).numpy().astype(np.float32))
    histories = Histories.from_matrix(matrix, np.array([2, 0, 3]))
    assert histories.users.tolist() == [2, 0, 3]
    part = histories.part(1, 3)
    assert (part.items.tolist(), part.offsets.tolist(), part.users.tolist()) == ([1, 3, 5], [0, 2, 3], [0, 3])
    kept = histories.only(histories.items != 5)
    assert (kept.items.tolist(), kept.offsets.tolist()) == ([0, 1, 2, 1, 3], [0, 3, 5, 5])
    assert kept.users.tolist() == [2, 0, 3]


def test_weights_follow_their_entries():
    weights = torch.arange(1.0, 8.0)
    histories = replace(HISTORIES, weights=weights)
    assert histories.part(2, 4).weights.tolist() == [3, 4, 5, 6, 7]
    assert histories.only(histories.items != 5).weights.tolist() == [1, 2, 3, 4, 5]
    dense = torch.zeros(4, 6)
    dense[histories.owners, histories.items] = weights
    table = torch.randn(6, 7, requires_grad=True)
    torch.testing.assert_close(history_sum(histories, table), dense @ table)
    (ours,) = torch.autograd.grad(history_sum(histories, table).square().sum(), table)
    (theirs,) = torch.autograd.grad((dense @ table).square().sum(), table)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(histories.others(None, 6, torch.float32), dense.sum(1, keepdim=True) - dense)
    columns = torch.tensor([0, 3, 5])
    torch.testing.assert_close(
        histories.others(columns, 3, torch.float32), (dense.sum(1, keepdim=True) - dense)[:, columns]
    )


def test_a_large_weight_swallows_no_small_one():
    histories = Histories.of([[0, 1]])
    heavy = replace(histories, weights=torch.tensor([1e9, 1e-3]))
    assert heavy.others(torch.tensor([0]), 1, torch.float32).item() == pytest.approx(1e-3, rel=1e-3)
