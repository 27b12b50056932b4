"""The log loss, equation (10), over all candidates at once."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor


def log_loss(scores: Tensor, positive: Tensor, weights: Tensor, n_samples: float) -> Tensor:
    """Return ``-(Σ_pos log σ(r) + Σ_neg w log(1 - σ(r))) / n_samples``.

    Args:
        scores: logits r (B, C).
        positive: (B, C) bool, the candidates that the user had.
        weights: (B, C) or (B, 1) float, how often each negative counts.
        n_samples: number of samples that the sum stands for.
    """
    losses = torch.nn.functional.softplus(torch.where(positive, -scores, scores))
    return torch.where(positive, losses, losses * weights).sum() / n_samples


def expected_weights(positive: Tensor, n_negatives: int) -> Tensor:
    """Return (B, 1): how often each negative is drawn on average, ``K |H| / (N - |H|)``.

    K uniform draws per positive give every item outside the history the same expected count; weighting all of them
    by it is the exact expectation of the sampled loss, without its noise.
    """
    n_positive = positive.sum(1, keepdim=True)
    n_free = (positive.shape[1] - n_positive).clamp(min=1)
    return n_negatives * n_positive / n_free


def sampled_weights(positive: Tensor, n_negatives: int, generator: torch.Generator) -> Tensor:
    """Return (B, C): how often each negative was drawn, K uniform draws with replacement per positive."""
    free = ~positive
    n_free = free.sum(1)
    n_draws = torch.where(n_free > 0, positive.sum(1) * n_negatives, 0)
    rows = torch.repeat_interleave(torch.arange(len(positive), device=positive.device), n_draws)
    uniform = torch.rand(len(rows), generator=generator, dtype=torch.float64).to(positive.device)
    nth = (uniform * n_free[rows]).long().minimum(n_free[rows] - 1)
    starts = n_free.cumsum(0) - n_free  # where each user's free items begin in the row-major list of all
    columns = free.nonzero()[:, 1][starts[rows] + nth]
    counts = torch.zeros(positive.shape, device=positive.device)
    ones = torch.ones(len(rows), device=positive.device)
    return counts.index_put_((rows, columns), ones, accumulate=True)


def best_bias(train: csr_matrix, n_negatives: int) -> Tensor:
    """Return (N,) the biases at which the expected loss of a model without similarities is lowest.

    Such a model gives item j the same score b_j for everybody; its loss is lowest at the log-odds of the item's
    positives against the expected number of times it is drawn as a negative. Half a count is added to both sides.
    """
    lengths = np.diff(train.indptr)
    weights = (
        n_negatives * lengths / np.maximum(train.shape[1] - lengths, 1)
    )  # (n_users,), as in expected_weights
    positives = np.bincount(train.indices, minlength=train.shape[1])
    had = np.bincount(train.indices, weights=np.repeat(weights, lengths), minlength=train.shape[1])
    negatives = weights.sum() - had
    return torch.from_numpy(np.log((positives + 0.5) / (negatives + 0.5))).float()
