"""The pair kernel's two operations for ReLU on a GPU, in Triton: each pair's sum stays in registers.

`torch.compile` makes of `reduce` one long sum for every row and dimension, which reads the gradient once for each
dimension: a hundred times the time that its arithmetic takes. Here a program keeps the sums of a few rows, in all
dimensions, and goes through the columns once.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

_ROWS, _COLUMNS = 64, 64  # pairs of a program of `expand`
_FEW_ROWS = 16  # rows of a program of `reduce`
_PROGRAMS = 2048  # of `reduce` at least, so that every processor of a card has some


@triton.jit  # type: ignore[untyped-decorator]
def _expand(a, b, h, g, n_rows, n_columns, dim, ROWS: tl.constexpr, COLUMNS: tl.constexpr):  # type: ignore[no-untyped-def]
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    in_rows, in_columns = rows < n_rows, columns < n_columns
    sums = tl.zeros((ROWS, COLUMNS), tl.float32)
    for d in range(dim):
        of_rows = tl.load(a + d * n_rows + rows, in_rows, 0.0)
        of_columns = tl.load(b + d * n_columns + columns, in_columns, 0.0)
        sums += tl.load(h + d) * tl.maximum(of_rows[:, None] + of_columns[None, :], 0.0)
    places = rows.to(tl.int64)[:, None] * n_columns + columns[None, :]
    tl.store(g + places, sums, in_rows[:, None] & in_columns[None, :])


@triton.jit  # type: ignore[untyped-decorator]
def _reduce(  # type: ignore[no-untyped-def]
    gradient, a, b, parts, n_rows, n_columns, dim, row_stride, column_stride, per_part,
    ROWS: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    places = tl.arange(0, DIM)
    in_rows, in_dim = rows < n_rows, places < dim
    inside = in_rows[:, None] & in_dim[None, :]
    of_rows = tl.load(a + rows[:, None] * dim + places[None, :], inside, 0.0)
    sums = tl.zeros((ROWS, DIM), tl.float32)
    first = tl.program_id(1) * per_part
    for column in range(first, tl.minimum(first + per_part, n_columns)):
        of_column = tl.load(b + column * dim + places, in_dim, 0.0)
        of_pairs = tl.load(gradient + rows.to(tl.int64) * row_stride + column * column_stride, in_rows, 0.0)
        sums += tl.where(of_rows + of_column[None, :] > 0, of_pairs[:, None], 0.0)
    part = tl.program_id(1).to(tl.int64) * n_rows * dim
    tl.store(parts + part + rows[:, None] * dim + places[None, :], sums, inside)


def serves(*tensors: Tensor) -> bool:
    """Whether the kernels below take these tensors: 32-bit floats on a GPU."""
    return all(x.is_cuda and x.dtype == torch.float32 for x in tensors)


def expand(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """Return g (R, C) = ``hᵀ relu(a_i + b_j)`` for rows a (R, D), columns b (C, D) and weights h (D,)."""
    (n_rows, dim), n_columns = a.shape, len(b)
    g = a.new_empty(n_rows, n_columns)
    grid = triton.cdiv(n_rows, _ROWS), triton.cdiv(n_columns, _COLUMNS)
    across = a.T.contiguous(), b.T.contiguous()  # neighbouring rows, and columns, lie together
    _launch(_expand, grid, *across, h.contiguous(), g, n_rows, n_columns, dim, ROWS=_ROWS, COLUMNS=_COLUMNS)
    return g


def reduce(gradient: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return r (R, D), the sum over columns of gradient (R, C), of any strides, where ``a_i + b_j`` is positive."""
    (n_rows, dim), n_columns = a.shape, len(b)
    n_blocks = triton.cdiv(n_rows, _FEW_ROWS)
    n_parts = max(1, min(_PROGRAMS // n_blocks, n_columns // 64))
    per_part = triton.cdiv(n_columns, n_parts)
    parts = a.new_empty(n_parts, n_rows, dim)
    _launch(
        _reduce, (n_blocks, n_parts), gradient, a.contiguous(), b.contiguous(), parts, n_rows, n_columns, dim,
        gradient.stride(0), gradient.stride(1), per_part, ROWS=_FEW_ROWS, DIM=triton.next_power_of_2(dim),
    )  # fmt: skip
    return parts.sum(0)


def _launch(kernel: Any, grid: tuple[int, int], *arguments: Any, **constants: int) -> None:
    kernel[grid](*arguments, **constants)
