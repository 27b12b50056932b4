"""Scores through an attention over pairs of items, and their gradients, by the compiled functions."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import torch
from torch import Tensor

from irisrec.native.lists import Lists, address
from irisrec.native.threads import share

_GROUP, _PANEL, _VECTOR = 24, 64, 16  # rows, columns and widths are padded to whole ones of these
_PART, _MOST_PARTS = 512, 16  # columns whose sums over the rows are kept apart until the end
_MOST_NUMBERS = 1 << 25  # in all parts together: 128 MB


class Attended(NamedTuple):
    """Scores of histories, and what their gradients need.

    Attributes:
        scores: (B, C).
        numerators, denominators: the two sums, panel by panel.
        highest: (C,) and padding, the highest logit of each column.
    """

    scores: Tensor
    numerators: Tensor | None
    denominators: Tensor | None
    highest: Tensor


class _Sides(ctypes.Structure):
    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("a", "base", "b", "h", "p", "q", "a_groups", "p_groups", "same")
        ),
        *((name, ctypes.c_int64) for name in ("R", "C", "D", "K", "n_rows", "n_columns")),
    )


class Pairs:
    """Pairs of R rows and C columns, of which no table is made.

    Their logits are ``g_ij = hᵀ relu(a_i + b_j)`` and their similarities ``S_ij = p_i·q_j``. All tensors are float32,
    and nothing leads back to them.

    Args:
        a, b, h: (R, D), (C, D) and (D,).
        p, q: (R, K) and (C, K).
        same: (C,) the row that is the same item as the column, -1 where none is.
    """

    def __init__(
        self, library: ctypes.CDLL, a: Tensor, b: Tensor, h: Tensor, p: Tensor, q: Tensor, same: Tensor
    ) -> None:
        self._library, self._shape = library, (len(a), len(b), a.shape[1], p.shape[1])
        self._a, self._b = _padded(-a, _GROUP), _padded(b, _PANEL)
        self._p, self._q = _padded(p, _GROUP), _padded(q, _PANEL)
        self._h = _padded(h[None], 1)[0]
        base = _padded((a.double() @ h.double()).to(a.dtype)[:, None], _GROUP)[:, 0].contiguous()
        tables = (self._a, base, self._b, self._h, self._p, self._q, _grouped(self._a), _grouped(self._p))
        self._held = (*tables, same.int().contiguous())  # as long as the structure points to them
        sizes = len(self._a), len(self._b), self._a.shape[1], self._p.shape[1], len(a), len(b)
        self._sides = ctypes.byref(_Sides(*map(address, self._held), *sizes))

    def logits(self) -> Tensor:
        """Return g (R, C)."""
        R, C, D, _ = self._shape
        g = self._a.new_empty(R, C)
        share(self._library.logits, self._sides, address(g), operations=float(R) * C * D)
        return g

    def attended(self, histories: Lists, beta: float, keep: bool) -> Attended | None:
        r"""Return ``Σ_i w_i E_ij S_ij / (Σ_i w_i E_ij)^β`` of B histories, ``E_ij = exp g_ij``, without the same item.

        ``keep`` what the gradients need. None where logits of a column lie so far apart, or are so large, that its sums
        could not be held.
        """
        R, C, D, K = self._shape
        B, padded = len(histories), len(self._b)
        scores, highest = self._a.new_empty(B, C), self._a.new_empty(padded)
        numerators, denominators = (self._a.new_empty(padded, B) if keep else None for _ in range(2))
        unsafe = torch.zeros(1, dtype=torch.int32)
        share(
            self._library.attended,
            self._sides,
            histories.as_argument,
            ctypes.c_float(beta),
            *map(address, (scores, numerators, denominators, highest, unsafe)),
            operations=float(R) * C * (D + K) + float(len(histories.items)) * C,
        )
        return None if unsafe.item() else Attended(scores, numerators, denominators, highest)

    def gradients(
        self, histories: Lists, beta: float, attended: Attended, gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the gradients of a, b, h, p and q, given that (B, C) of the scores."""
        R, C, D, K = self._shape
        owners = histories.turned(self._library, R)
        n_parts = min(
            _MOST_PARTS, -(-C // _PART), max(1, _MOST_NUMBERS // (self._a.numel() + self._p.numel()))
        )
        rows_a, rows_p = (x.new_empty(n_parts, *x.shape) for x in (self._a, self._p))
        of_b, of_q = torch.zeros_like(self._b), torch.zeros_like(self._q)
        share(
            self._library.attended_gradients,
            self._sides,
            owners.as_argument,
            ctypes.c_float(beta),
            ctypes.c_int64(len(histories)),
            address(gradient.contiguous()),
            *map(address, attended[1:]),
            *map(address, (rows_a, of_b, rows_p, of_q)),
            ctypes.c_int64(n_parts),
            operations=float(R) * C * (D + K) + float(len(owners.items)) * C,
        )
        of_a, of_p = rows_a.sum(0), rows_p.sum(0)
        of_h = (self._b * of_b).sum(0) - (self._a * of_a).sum(0)  # self._a is -a
        h = self._h
        return (h * of_a)[:R, :D], (h * of_b)[:C, :D], of_h[:D], of_p[:R, :K], of_q[:C, :K]


def _padded(table: Tensor, rows: int) -> Tensor:
    """Return a contiguous table with zeros below and at the right, to whole groups of rows and whole vectors."""
    below, right = -len(table) % rows, -table.shape[1] % _VECTOR
    return torch.nn.functional.pad(table, (0, right, 0, below)).contiguous()


def _grouped(table: Tensor) -> Tensor:
    """Return (R / 24, D, 24) of a table (R, D)."""
    return table.view(len(table) // _GROUP, _GROUP, table.shape[1]).transpose(1, 2).contiguous()
