import torch
from scipy.sparse import csr_matrix
from torch.nn.functional import softplus

from irisrec.training.losses import bpr_loss, log_loss
from irisrec.training.negatives import counts, counts_among, draw, draw_chances, expected_counts, pairs_among

POSITIVE = torch.rand(4, 30, generator=torch.Generator().manual_seed(1)) < 0.2
EVENLY = torch.ones(30)
UNEVENLY = torch.arange(1.0, 31.0)
K = 4


def drawn(seed: int, chances=EVENLY) -> torch.Tensor:
    return counts(draw(POSITIVE, K, chances, torch.Generator().manual_seed(seed)), POSITIVE)


def assert_drawn_as_expected(chances) -> None:
    total = torch.zeros(POSITIVE.shape)
    for seed in range(2000):
        times = drawn(seed, chances)
        assert torch.equal(times.sum(1), K * POSITIVE.sum(1).float())
        assert not times[POSITIVE].any()
        total += times
    expected = expected_counts(POSITIVE, K, chances)
    error = (total / 2000 - expected)[~POSITIVE] / (expected[~POSITIVE] / 2000).sqrt()  # Poisson-like spread
    assert error.abs().max() < 5
    assert not expected[POSITIVE].any()


def test_negatives_are_drawn_k_per_positive_outside_the_history_and_evenly():
    assert_drawn_as_expected(EVENLY)


def test_negatives_by_popularity_are_drawn_in_proportion_to_it():
    assert_drawn_as_expected(UNEVENLY)


def test_chances_by_popularity_leave_no_item_out():
    train = csr_matrix([[1, 0, 1], [1, 0, 0]])
    assert draw_chances(train, "popularity").tolist() == [3, 1, 2]
    assert draw_chances(train, "uniform").tolist() == [1, 1, 1]


def test_the_draws_of_a_user_follow_its_positives():
    rows, _ = draw(POSITIVE, K, EVENLY, torch.Generator().manual_seed(0))
    assert torch.equal(rows, POSITIVE.nonzero()[:, 0].repeat_interleave(K))


def test_a_user_who_had_everything_has_no_negatives():
    everything = torch.tensor([[True] * 5, [True] * 4 + [False]])
    rows, columns = draw(everything, K, torch.ones(5), torch.Generator().manual_seed(0))
    assert rows.tolist() == [1] * 16
    assert columns.tolist() == [4] * 16
    assert expected_counts(everything, K, torch.ones(5)).tolist() == [[0] * 5, [0] * 4 + [16]]


def test_the_loss_of_some_items_is_the_sum_over_pairs_of_these():
    generator = torch.Generator().manual_seed(3)
    scores, items = torch.randn(4, 30, generator=generator), torch.rand(30, generator=generator) < 0.5
    weights = expected_counts(POSITIVE, K, EVENLY)
    by_pairs = by_points = torch.zeros(())
    for u in range(4):
        own, others = (POSITIVE[u] & items).nonzero()[:, 0], (~POSITIVE[u] & items).nonzero()[:, 0]
        n_had = POSITIVE[u].sum()
        for i in own:
            by_points = by_points + softplus(-scores[u, i])
            for x in others:
                n = weights[u, x] / n_had  # of one positive
                by_pairs = by_pairs + n * softplus(scores[u, x] - scores[u, i])
                by_points = by_points + n * softplus(scores[u, x])
    torch.testing.assert_close(bpr_loss(scores, *counts_among(POSITIVE, weights, items)), by_pairs)
    torch.testing.assert_close(log_loss(scores, *counts_among(POSITIVE, weights, items)), by_points)


def test_drawn_pairs_are_left_to_those_of_some_items():
    rows, columns, negatives = torch.tensor([0, 0, 1]), torch.tensor([2, 3, 2]), torch.tensor([5, 5, 6])
    items = torch.zeros(30, dtype=torch.bool)
    items[[2, 5]] = True
    (r, c), n = pairs_among((rows, columns), negatives, items)
    assert (r.tolist(), c.tolist(), n.tolist()) == ([0], [2], [5])
    assert pairs_among((rows, columns), negatives, None) == ((rows, columns), negatives)
