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
        *((name, ctypes.c_int64) for name in ("R", "C", "D", "K", "n_rows", "n_columns", "are_rounded")),
    )


class Rows(NamedTuple):
    """Some rows of a table.

    Attributes:
        table: (n, D), contiguous.
        places: (R,) int64, which rows, each once; None where these are all rows.
    """

    table: Tensor
    places: Tensor | None = None

    def __len__(self) -> int:
        return len(self.table if self.places is None else self.places)

    @property
    def width(self) -> int:
        """D, the numbers of a row."""
        return self.table.shape[1]


class Pairs:
    """Pairs of R rows and C columns, of which no table is made.

    Their logits are ``g_ij = hᵀ relu(a_i + b_j)`` and their similarities ``S_ij = p_i·q_j``. All tensors are float32,
    and nothing leads back to them.

    Args:
        a, b, h: (R, D), (C, D) and (D,).
        p, q: (R, K) and (C, K).
        same: (C,) the row that is the same item as the column, -1 where none is.
        rounds: whether p and q are rounded to bfloat16, from which similarities and gradients are then computed.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        a: Rows,
        b: Rows,
        h: Tensor,
        p: Rows,
        q: Rows,
        same: Tensor,
        rounds: bool = False,
    ) -> None:
        self._library, self._rows = library, (a, b, p, q)
        self._a, a_groups = self._packed(a, _GROUP, factor=-1.0)
        self._b, _ = self._packed(b, _PANEL)
        self._p, p_groups = self._packed(p, _GROUP, rounds)
        self._q, _ = self._packed(q, _PANEL, rounds)
        self._h = torch.nn.functional.pad(h, (0, -len(h) % _VECTOR)).contiguous()
        base = -(self._a.double() @ self._h.double()).to(h.dtype)
        tables = (self._a, base, self._b, self._h, self._p, self._q, a_groups, p_groups)
        self._held = (*tables, same.int().contiguous())  # as long as the structure points to them
        sizes = len(self._a), len(self._b), self._a.shape[1], self._p.shape[1], len(a), len(b), rounds
        self._sides = ctypes.byref(_Sides(*map(address, self._held), *sizes))

    def _packed(
        self, rows: Rows, whole: int, rounds: bool = False, factor: float = 1.0
    ) -> tuple[Tensor, Tensor | None]:
        """Return rows times a factor, with zeros below and at the right to whole groups and whole vectors.

        Rows of the left side come in groups beside: (R / 24, D, 24), rounded ones as the processor takes them.
        """
        n, width = len(rows), rows.width
        shape = n + -n % whole, width + -width % _VECTOR
        to = rows.table.new_empty(shape)
        groups = to.new_empty(shape[0] // _GROUP, shape[1], _GROUP) if whole == _GROUP else None
        share(
            self._library.packed,
            address(rows.table),
            address(rows.places),
            ctypes.c_int64(n),
            ctypes.c_int64(width),
            ctypes.c_float(factor),
            ctypes.c_int32(rounds),
            *map(ctypes.c_int64, shape),
            address(to),
            address(groups),
            operations=float(to.numel()),
        )
        return to, groups

    def logits(self) -> Tensor:
        """Return g (R, C)."""
        (R, C), D = map(len, self._rows[:2]), self._rows[0].width
        g = self._a.new_empty(R, C)
        share(self._library.logits, self._sides, address(g), operations=float(R) * C * D)
        return g

    def attended(self, histories: Lists, beta: float, keep: bool) -> Attended | None:
        r"""Return ``Σ_i w_i E_ij S_ij / (Σ_i w_i E_ij)^β`` of B histories, ``E_ij = exp g_ij``, without the same item.

        ``keep`` what the gradients need. None where logits of a column lie so far apart, or are so large, that its sums
        could not be held.
        """
        B, C, padded = len(histories), len(self._rows[1]), len(self._b)
        scores, highest = self._a.new_empty(B, C), self._a.new_empty(padded)
        numerators, denominators = (self._a.new_empty(padded, B) if keep else None for _ in range(2))
        unsafe = torch.zeros(1, dtype=torch.int32)
        share(
            self._library.attended,
            self._sides,
            histories.as_argument,
            ctypes.c_float(beta),
            *map(address, (scores, numerators, denominators, highest, unsafe)),
            operations=self._operations(histories),
        )
        return None if unsafe.item() else Attended(scores, numerators, denominators, highest)

    def gradients(
        self, histories: Lists, beta: float, attended: Attended, gradient: Tensor, to: tuple[Tensor, ...]
    ) -> Tensor:
        """Return the gradient of h, given that (B, C) of the scores; add those of a, b, p and q to other tables.

        ``to`` are of the shapes of the tables of a, b, p and q, contiguous.
        """
        owners = histories.turned(self._library, len(self._rows[0]))
        n_parts = min(
            _MOST_PARTS,
            -(-len(self._rows[1]) // _PART),
            max(1, _MOST_NUMBERS // (self._a.numel() + self._p.numel())),
        )
        of_a, of_p = (x.new_empty(n_parts, *x.shape) for x in (self._a, self._p))
        of_b, of_q = torch.zeros_like(self._b)[None], torch.zeros_like(self._q)[None]
        share(
            self._library.attended_gradients,
            self._sides,
            owners.as_argument,
            ctypes.c_float(beta),
            ctypes.c_int64(len(histories)),
            address(gradient.contiguous()),
            *map(address, attended[1:]),
            *map(address, (of_a, of_b, of_p, of_q)),
            ctypes.c_int64(n_parts),
            operations=self._operations(owners),
        )
        found = zip(self._rows, (of_a, of_b, of_p, of_q), (self._h, self._h, None, None), to, strict=True)
        for rows, parts, factors, table in found:
            self._unpack(rows, parts, factors, table)
        of_h = (self._b * of_b[0]).sum(0) - (self._a * of_a[0]).sum(0)  # self._a is -a
        return of_h[: self._rows[0].width]

    def _unpack(self, rows: Rows, parts: Tensor, factors: Tensor | None, to: Tensor) -> None:
        """Sum the parts into the first one, and add it to the rows of a table."""
        share(
            self._library.unpacked,
            address(parts),
            *map(ctypes.c_int64, parts.shape),
            address(factors),
            ctypes.c_int64(len(rows)),
            ctypes.c_int64(rows.width),
            address(rows.places),
            address(to),
            operations=float(parts.numel()),
        )

    def _operations(self, lists: Lists) -> float:
        R, C = map(len, self._rows[:2])
        return float(R) * C * (self._rows[0].width + self._rows[2].width) + float(len(lists.items)) * C
