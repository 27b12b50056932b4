"""Blocks of pairs: what is too large to be held for all pairs at once is computed block by block, twice."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_BLOCK = 1 << 22  # elements of (rows, C, D) held at once: 16 MB in float32


def in_row_blocks(
    scores: Callable[[Tensor, Tensor], Tensor], rows: Tensor, columns: Tensor, width: int
) -> Tensor:
    """Return ``scores(rows, columns)`` (R, C), computed for some rows at a time and again in the backward pass.

    Only rows, columns and the result are kept for all pairs.

    Args:
        scores: (r, F), (C, G) -> (r, C), without randomness; holds about r C ``width`` elements on the way.
        rows: (R, F).
        columns: (C, G).
        width: of the widest thing that a pair has on the way.
    """
    step = max(1, _BLOCK // max(width * len(columns), 1))
    blocks = [
        checkpoint(scores, part, columns, use_reentrant=False, preserve_rng_state=False)
        for part in torch.split(rows, step)
    ]
    return torch.cat(blocks)
