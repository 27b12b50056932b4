"""FISM's scores from sums of factors are those of its pairs."""

import pytest
import torch

from irisrec.models.histories import Histories
from irisrec.models.pair_block import PairBlock, same_items
from irisrec.models.uniform import uniform_scores

ROWS = torch.tensor([1, 2, 4, 7, 8])
HISTORIES = [[0, 1, 2], [], [3], [0, 4], [1, 2, 3, 4]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [None, [2, 3, 7, 9], [0, 3]])
def test_scores_and_gradients_are_those_of_the_pairs(columns, weighted):
    generator = torch.Generator().manual_seed(0)
    histories = Histories.of(HISTORIES)
    if weighted:
        weights = torch.rand(len(histories.items), generator=generator, dtype=torch.float64) + 0.5
        histories = Histories(histories.items, histories.offsets, weights=weights)
    columns = None if columns is None else torch.tensor(columns)
    n = 11 if columns is None else len(columns)
    p, q = (
        torch.randn(size, 3, generator=generator, dtype=torch.float64, requires_grad=True)
        for size in (len(ROWS), n)
    )
    direction = torch.randn(len(HISTORIES), n, generator=generator, dtype=torch.float64)
    wanted = PairBlock(None, p @ q.T, same_items(ROWS, columns), 0.0, 1.0).scores(histories)
    found = uniform_scores(p, q, (ROWS, columns), histories)
    torch.testing.assert_close(found, wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found, [p, q], direction),
        torch.autograd.grad(wanted, [p, q], direction),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_an_item_that_is_the_whole_history_has_a_score_of_exactly_zero():
    p, q = torch.randn(5, 64), torch.randn(9, 64)
    scores = uniform_scores(p, q, (ROWS, None), Histories.of([[i] for i in range(5)]))
    assert scores[torch.arange(5), ROWS].tolist() == [0.0] * 5
    assert (scores == 0).sum() == 5
