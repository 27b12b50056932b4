import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.training import losses
from irisrec.training.losses import best_bias, bpr_loss, bpr_loss_of_pairs, log_loss, squared_loss
from irisrec.training.negatives import counts, draw, draw_chances, expected_counts

SCORES = torch.randn(4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
POSITIVE = torch.rand(4, 30, generator=torch.Generator().manual_seed(1)) < 0.2
EVENLY = torch.ones(30)
K = 4


def drawn(seed: int) -> torch.Tensor:
    return counts(draw(POSITIVE, K, EVENLY, torch.Generator().manual_seed(seed)), POSITIVE).double()


def expected(positive=POSITIVE) -> torch.Tensor:
    return expected_counts(positive, K, torch.ones(positive.shape[1])).double()


def literal(term_of_positive, term_of_negative, times) -> torch.Tensor:
    """A pointwise loss with drawn negatives, term by term."""
    total = torch.zeros((), dtype=torch.float64)
    for user, item in np.ndindex(*SCORES.shape):
        r = SCORES[user, item]
        total += term_of_positive(r) if POSITIVE[user, item] else times[user, item] * term_of_negative(r)
    return total


def test_log_loss_equals_equation_10_term_by_term():
    times = drawn(2)
    by_hand = literal(lambda r: -torch.sigmoid(r).log(), lambda r: -(1 - torch.sigmoid(r)).log(), times)
    torch.testing.assert_close(log_loss(SCORES, POSITIVE, times), by_hand)


def test_squared_loss_equals_equation_9_term_by_term():
    times = drawn(2)
    by_hand = literal(lambda r: (1 - r) ** 2, lambda r: r**2, times)
    torch.testing.assert_close(squared_loss(SCORES, POSITIVE, times), by_hand)


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_bpr_loss_equals_equation_11_term_by_term_with_its_gradient(block, monkeypatch):
    monkeypatch.setattr(losses, "_BLOCK", block)
    ours, literally = SCORES.clone().requires_grad_(), SCORES.clone().requires_grad_()
    shares = expected() / POSITIVE.sum(1, keepdim=True)
    total = torch.zeros((), dtype=torch.float64)
    for user, i in POSITIVE.nonzero().tolist():
        for x in (~POSITIVE[user]).nonzero()[:, 0].tolist():
            total += -shares[user, x] * torch.sigmoid(literally[user, i] - literally[user, x]).log()
    loss = bpr_loss(ours, POSITIVE, expected())
    torch.testing.assert_close(loss, total)
    (3 * loss).backward()
    (3 * total).backward()
    torch.testing.assert_close(ours.grad, literally.grad)


def test_bpr_loss_of_pairs_equals_equation_11():
    pairs = ((0, 3, 5), (2, 1, 7))
    rows, positives, negatives = (torch.tensor(x) for x in zip(*pairs, strict=True))
    by_hand = sum(math.log1p(math.exp(-float(SCORES[u, i] - SCORES[u, x]))) for u, i, x in pairs)
    assert float(bpr_loss_of_pairs(SCORES, (rows, positives), negatives)) == pytest.approx(by_hand)


def pairs_of(seed: int) -> torch.Tensor:
    rows, columns = draw(POSITIVE, K, EVENLY, torch.Generator().manual_seed(seed))
    positives = POSITIVE.nonzero()[:, 1].repeat_interleave(K)
    return bpr_loss_of_pairs(SCORES, (rows, positives), columns)


@pytest.mark.parametrize(
    ("exact", "sampled"),
    [
        (log_loss(SCORES, POSITIVE, expected()), lambda s: log_loss(SCORES, POSITIVE, drawn(s))),
        (squared_loss(SCORES, POSITIVE, expected()), lambda s: squared_loss(SCORES, POSITIVE, drawn(s))),
        (bpr_loss(SCORES, POSITIVE, expected()), pairs_of),
    ],
    ids=["log", "squared", "bpr"],
)
def test_loss_over_all_negatives_is_the_average_of_many_sampled_losses(exact, sampled):
    values = torch.stack([sampled(seed) for seed in range(4000)])
    standard_error = values.std() / len(values) ** 0.5
    assert (values.mean() - exact).abs() < 4 * standard_error
    assert values.std() > 20 * standard_error, "single draws do scatter: the test can fail"


def test_a_user_who_had_everything_loses_on_positives_only():
    everything = torch.ones(1, 5, dtype=torch.bool)
    zeros = torch.zeros(1, 5, dtype=torch.float64)
    times = expected(everything)
    assert float(log_loss(zeros, everything, times)) == pytest.approx(5 * math.log(2))
    assert float(bpr_loss(zeros, everything, times)) == 0


@pytest.mark.parametrize("kind", ["uniform", "popularity"])
@pytest.mark.parametrize(("name", "loss"), [("log", log_loss), ("squared", squared_loss)])
def test_best_bias_is_where_the_loss_without_similarities_is_lowest(name, loss, kind):
    rng = np.random.default_rng(0)
    train = csr_matrix((rng.random((200, 12)) < rng.random(12)).astype(np.float32))
    positive = torch.from_numpy(train.toarray() > 0)
    chances = draw_chances(train, kind)
    times = expected_counts(positive, K, chances).double()

    def lost(bias):
        return loss(bias.expand(200, -1), positive, times)

    bias = best_bias(train, K, chances, name).double().requires_grad_()
    (gradient,) = torch.autograd.grad(lost(bias), bias)
    assert gradient.abs().max() <= 1.0, "off by no more than the half counts"
    for step in (0.3, -0.3):
        for item in range(12):
            moved = bias.detach().clone()
            moved[item] += step
            assert lost(moved) > lost(bias.detach())
