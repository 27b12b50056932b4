import numpy as np
import torch
from scipy.sparse import csr_matrix

from irisrec.training.losses import best_bias, expected_weights, log_loss, sampled_weights

SCORES = torch.randn(4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
POSITIVE = torch.rand(4, 30, generator=torch.Generator().manual_seed(1)) < 0.2
K = 4


def literal_log_loss(scores, positive, drawn):
    """Equation (10) with drawn negatives, term by term."""
    total = 0.0
    for user in range(len(scores)):
        for item in range(scores.shape[1]):
            p = torch.sigmoid(scores[user, item])
            total += -torch.log(p) if positive[user, item] else -drawn[user, item] * torch.log(1 - p)
    return total


def test_log_loss_equals_the_equation_term_by_term():
    drawn = sampled_weights(POSITIVE, K, torch.Generator().manual_seed(2)).double()
    ours = log_loss(SCORES, POSITIVE, drawn, n_samples=1.0)
    torch.testing.assert_close(ours, literal_log_loss(SCORES, POSITIVE, drawn))


def test_negatives_are_drawn_k_per_positive_outside_the_history_and_uniformly():
    counts = torch.zeros(POSITIVE.shape)
    for seed in range(2000):
        drawn = sampled_weights(POSITIVE, K, torch.Generator().manual_seed(seed))
        assert torch.equal(drawn.sum(1), K * POSITIVE.sum(1).float())
        assert not drawn[POSITIVE].any()
        counts += drawn
    mean = counts / 2000
    expected = expected_weights(POSITIVE, K).expand_as(mean)
    error = ((mean - expected)[~POSITIVE] / (expected[~POSITIVE] / 2000).sqrt()).abs()  # Poisson-like spread
    assert error.max() < 5


def test_loss_over_all_negatives_is_the_average_of_many_sampled_losses():
    n = float(POSITIVE.sum()) * (1 + K)
    exact = log_loss(SCORES, POSITIVE, expected_weights(POSITIVE, K).double(), n)
    sampled = torch.stack(
        [
            log_loss(
                SCORES, POSITIVE, sampled_weights(POSITIVE, K, torch.Generator().manual_seed(s)).double(), n
            )
            for s in range(4000)
        ]
    )
    standard_error = sampled.std() / len(sampled) ** 0.5
    assert (sampled.mean() - exact).abs() < 4 * standard_error
    assert sampled.std() > 20 * standard_error, "single draws do scatter: the test can fail"


def test_a_user_who_had_everything_has_no_negatives():
    everything = torch.ones(1, 5, dtype=torch.bool)
    assert not sampled_weights(everything, K, torch.Generator().manual_seed(0)).any()
    loss = log_loss(torch.zeros(1, 5), everything, expected_weights(everything, K), 1.0)
    torch.testing.assert_close(loss, torch.tensor(5 * 0.6931472))


def test_best_bias_is_where_the_loss_without_similarities_is_lowest():
    rng = np.random.default_rng(0)
    train = csr_matrix((rng.random((200, 12)) < rng.random(12)).astype(np.float32))
    positive = torch.from_numpy(train.toarray() > 0)
    weights = expected_weights(positive, K).double()

    def loss(bias):
        return log_loss(bias.expand(200, -1), positive, weights, 1.0)

    bias = best_bias(train, K).double().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(bias), bias)
    assert gradient.abs().max() < 0.5, "off by no more than the half counts"
    for step in (1.0, -1.0):
        for item in range(12):
            moved = bias.detach().clone()
            moved[item] += step
            assert loss(moved) > loss(bias.detach())
