"""Lists of rows of a table, and sums over them, by the compiled functions."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from irisrec.native.threads import share


def address(tensor: Tensor | None) -> ctypes.c_void_p:
    """Return where the numbers of a tensor lie, for a C function; no tensor is null."""
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


class _Lists(ctypes.Structure):
    _fields_ = (
        ("items", ctypes.c_void_p),
        ("offsets", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("n", ctypes.c_int64),
    )


@dataclass(frozen=True)
class Lists:
    """n lists of rows of a table, one after another.

    Attributes:
        items: (nnz,) int32.
        offsets: (n + 1,) int64, contiguous; list ``u`` is ``items[offsets[u]:offsets[u + 1]]``.
        weights: (nnz,) float32, contiguous; None where all are 1.
    """

    items: Tensor
    offsets: Tensor
    weights: Tensor | None

    @classmethod
    def of(cls, items: Tensor, offsets: Tensor, weights: Tensor | None) -> Lists:
        """Take items, offsets and weights of any type."""
        floats = None if weights is None else weights.float().contiguous()
        return cls(items.int(), offsets.long().contiguous(), floats)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def as_argument(self) -> Any:
        """What the compiled functions read; it lives as long as the lists."""
        parts = (address(part) for part in (self.items, self.offsets, self.weights))
        return ctypes.byref(_Lists(*parts, len(self)))

    def turned(self, library: ctypes.CDLL, n_rows: int) -> Lists:
        """Return for each of ``n_rows`` rows the lists that have it, ascending."""
        offsets = torch.zeros(n_rows + 1, dtype=torch.int64)
        owners = torch.empty_like(self.items)
        weights = None if self.weights is None else torch.empty_like(self.weights)
        places = (address(part) for part in (owners, offsets, weights))
        library.turned(self.as_argument, ctypes.c_int64(n_rows), *places)
        return Lists(owners, offsets, weights)


def row_sums(library: ctypes.CDLL, table: Tensor, lists: Lists) -> Tensor:
    """Return (n, C): over each list the weighted sum of its rows of a contiguous float32 table (R, C)."""
    R, C = table.shape
    sums = table.new_empty(len(lists), C)
    share(
        library.row_sums,
        address(table),
        ctypes.c_int64(R),
        ctypes.c_int64(C),
        lists.as_argument,
        address(sums),
        operations=float(len(lists.items) + R) * C,
    )
    return sums
