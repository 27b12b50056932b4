"""The log loss and its gradient in one pass, by the compiled functions."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from irisrec.native.lists import address
from irisrec.native.threads import share


def log_loss(library: ctypes.CDLL, scores: Tensor, positive: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``Σ_pos softplus(-r) + Σ_others n softplus(r)`` and its gradient (B, C).

    Args:
        library: the compiled functions.
        scores: logits r (B, C), float32.
        positive: (B, C) bool.
        counts: n (B, C), float32; not read of positives.
    """
    B, C = scores.shape
    scores, positive, counts = scores.contiguous(), positive.contiguous(), counts.contiguous()
    losses, gradient = torch.empty(B, dtype=torch.float64), torch.empty_like(scores)
    share(
        library.log_loss,
        *map(address, (scores, positive, counts)),
        ctypes.c_int64(B),
        ctypes.c_int64(C),
        *map(address, (losses, gradient)),
        operations=float(B) * C,
    )
    return losses.sum().to(scores.dtype), gradient
