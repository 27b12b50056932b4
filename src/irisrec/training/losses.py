"""The losses of the paper, equations (9) to (11), each over weighted negatives or over drawn pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.nn.functional import softplus

from irisrec.native.choice import library_for
from irisrec.native.losses import log_loss as compiled_log_loss
from irisrec.training.config import LossName

_BLOCK = 1 << 22  # pairs of a positive and a negative held at once: 16 MB in float32


def log_loss(scores: Tensor, positive: Tensor, counts: Tensor) -> Tensor:
    """Return ``-Σ_pos log σ(r) - Σ_neg n log(1 - σ(r))``, equation (10).

    Args:
        scores: logits r (B, C).
        positive: (B, C) bool, the candidates that the user had.
        counts: (B, C), n, how often each negative counts; 0 for positives.
    """
    library = library_for(float(scores.numel()), scores, counts)
    if library is not None:
        return _WithGradient.apply(scores, *compiled_log_loss(library, scores.detach(), positive, counts))  # type: ignore[no-any-return, no-untyped-call]
    signed = torch.where(positive, -scores, scores)  # one softplus of each pair, not one for either case
    return (softplus(signed) * torch.where(positive, 1.0, counts)).sum()


def squared_loss(scores: Tensor, positive: Tensor, counts: Tensor) -> Tensor:
    """Return ``Σ_pos (1 - r)² + Σ_neg n r²``, equation (9) for implicit feedback; arguments as of `log_loss`."""
    return torch.where(positive, (1 - scores).square(), scores.square() * counts).sum()


def bpr_loss(scores: Tensor, positive: Tensor, counts: Tensor) -> Tensor:
    """Return ``-Σ_i Σ_x n_x/|H| log σ(r_i - r_x)`` over positives i and negatives x, equation (11).

    Each of a user's |H| positives meets every negative, which counts as often as it is drawn for one positive. Takes
    Σ_u |H_u| C pair terms, a block at a time; arguments as of `log_loss`.
    """
    return _ExpectedBPR.apply(scores, positive, counts)  # type: ignore[no-any-return, no-untyped-call]


def bpr_loss_of_pairs(scores: Tensor, positives: tuple[Tensor, Tensor], negatives: Tensor) -> Tensor:
    """Return ``-Σ log σ(r_i - r_x)``, equation (11), over drawn pairs.

    Args:
        scores: logits r (B, C).
        positives: rows (n,) and columns (n,) of the positive of each pair.
        negatives: (n,) column of its negative.
    """
    rows, columns = positives
    return softplus(scores[rows, negatives] - scores[rows, columns]).sum()


class _ExpectedBPR(torch.autograd.Function):
    """The sum is a scalar, so its gradient is made in the forward pass and no pair is kept."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, positive: Tensor, counts: Tensor) -> Tensor:
        rows, columns = positive.nonzero().unbind(1)
        shares = counts / positive.sum(1, keepdim=True).clamp(min=1)  # (B, C) negatives of one positive
        gradient = torch.zeros_like(scores)
        total = scores.new_zeros(())
        step = max(1, _BLOCK // scores.shape[1])
        for start in range(0, len(rows), step):
            r, c = rows[start : start + step], columns[start : start + step]
            lead = scores[r] - scores[r, c][:, None]  # (n, C), by how much each negative is ahead
            total += (softplus(lead) * shares[r]).sum()
            slope = torch.sigmoid(lead) * shares[r]
            gradient.index_add_(0, r, slope)
            gradient.index_put_((r, c), -slope.sum(1), accumulate=True)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None


class _WithGradient(torch.autograd.Function):
    """A loss whose gradient was made with it."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, loss: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradients[0] * gradient, None, None


POINTWISE = {"log": log_loss, "squared": squared_loss}


def best_bias(train: csr_matrix, n_negatives: int, chances: Tensor, loss: LossName) -> Tensor:
    """Return (N,) the biases at which the expected loss of a model without similarities is lowest.

    Such a model gives item j the same score b_j for everybody, and every item's positives stand against the expected
    number of times it is drawn as a negative: the log-odds of the two for the log loss (and for BPR, where it is the
    lowest if each pair of items met), the share of positives for the squared error. Half a count is added to both.
    """
    drawn_chances = chances.double().numpy()
    lengths = np.diff(train.indptr)
    taken = np.asarray(
        train.astype(bool).astype(np.float64) @ drawn_chances
    )  # (n_users,) chances of the history
    free = drawn_chances.sum() - taken
    wanted = np.where(free > 1e-9 * drawn_chances.sum(), n_negatives * lengths / np.maximum(free, 1e-9), 0.0)
    positives = np.bincount(train.indices, minlength=train.shape[1])
    had = np.bincount(train.indices, weights=np.repeat(wanted, lengths), minlength=train.shape[1])
    negatives = drawn_chances * (wanted.sum() - had)
    if loss == "squared":
        return torch.from_numpy((positives + 0.5) / (positives + negatives + 1)).float()
    return torch.from_numpy(np.log((positives + 0.5) / (negatives + 0.5))).float()
