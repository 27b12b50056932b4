"""Histories: the items that each user of a batch had before, as one flat list with offsets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from irisrec.models.products import is_rounding, rounded_product
from irisrec.native.choice import library_for
from irisrec.native.lists import Lists, row_sums

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# share of the table (B, R) of histories from which the sums are a product of it where inputs are rounded: on a GPU that
# product took less time in float32 already, and on the processor the sums by rows never took more
_PRODUCT_FROM = {"cuda": 0.026}
_COLUMNS_OF_A_THREAD = 128  # at least, where the compiled sums are taken


@dataclass(frozen=True)
class Histories:
    """B histories over item rows, each a set: an item stands at most once in a history.

    Attributes:
        items: (nnz,) int64, the histories one after another.
        offsets: (B + 1,) int64, history ``b`` is ``items[offsets[b]:offsets[b + 1]]``; may be empty.
        users: (B,) int64, the row of each user among those the model was trained with, where they are known users;
            read only by models that learn something per user.
        weights: (nnz,) floats, how many times each item counts; None where each counts once.
            Not read by models that do not score by history items.
    """

    items: Tensor
    offsets: Tensor
    users: Tensor | None = None
    weights: Tensor | None = None

    @classmethod
    def of(cls, histories: Sequence[Sequence[int] | NDArray[np.integer]]) -> Histories:
        """Build from one sequence of item rows per user; a repeated row counts once.

        >>> Histories.of([[4, 2, 4], []]).lengths
        tensor([2, 0])
        """
        rows = [np.unique(np.asarray(history, dtype=np.int64)) for history in histories]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        items = np.concatenate([*rows, np.empty(0, np.int64)])
        return cls(torch.from_numpy(items), torch.from_numpy(offsets))

    @classmethod
    def without_each(cls, items: Tensor, weights: Tensor | None = None) -> Histories:
        """Build L histories from one of distinct items (L,): all of it without each item in turn.

        >>> Histories.without_each(torch.tensor([3, 5, 8]))
        Histories(items=tensor([5, 8, 3, 8, 3, 5]), offsets=tensor([0, 2, 4, 6]), users=None, weights=None)
        """
        n = len(items)
        kept = ~torch.eye(n, dtype=torch.bool, device=items.device)
        offsets = torch.arange(n + 1, device=items.device) * max(n - 1, 0)
        kept_weights = None if weights is None else weights.expand(n, n)[kept]
        return cls(items.expand(n, n)[kept], offsets, weights=kept_weights)

    @classmethod
    def from_matrix(cls, matrix: csr_matrix, users: NDArray[np.integer] | None = None) -> Histories:
        """Build from the stored entries of a (n_users, N) matrix: of the given rows, or of all its rows."""
        rows = np.arange(matrix.shape[0]) if users is None else np.asarray(users)
        picked = matrix if users is None else matrix[rows]
        return cls(
            torch.from_numpy(picked.indices.astype(np.int64)),
            torch.from_numpy(picked.indptr.astype(np.int64)),
            torch.from_numpy(rows.astype(np.int64)),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Tensor:
        """(B,) number of items in each history."""
        return self.offsets.diff()

    @property
    def owners(self) -> Tensor:
        """(nnz,) row of the batch that each entry of ``items`` belongs to."""
        return torch.repeat_interleave(torch.arange(len(self), device=self.items.device), self.lengths)

    def to(self, device: torch.device | str) -> Histories:
        """Move to a device."""
        users = None if self.users is None else self.users.to(device)
        weights = None if self.weights is None else self.weights.to(device)
        return Histories(self.items.to(device), self.offsets.to(device), users, weights)

    def part(self, start: int, stop: int) -> Histories:
        """Return the histories ``start`` to ``stop`` of the batch."""
        offsets = self.offsets[start : stop + 1]
        entries = slice(int(offsets[0]), int(offsets[-1]))
        users = None if self.users is None else self.users[start:stop]
        weights = None if self.weights is None else self.weights[entries]
        return Histories(self.items[entries], offsets - offsets[0], users, weights)

    def taken(self, users: Tensor) -> Histories:
        """Return the histories in the given rows (b,) of the batch."""
        lengths = self.lengths[users]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        shifts = torch.repeat_interleave(self.offsets[users] - offsets[:-1], lengths)
        entries = torch.arange(int(offsets[-1]), device=self.items.device) + shifts
        known = None if self.users is None else self.users[users]
        weights = None if self.weights is None else self.weights[entries]
        return Histories(self.items[entries], offsets, known, weights)

    def only(self, kept: Tensor) -> Histories:
        """Return the entries where ``kept`` (nnz,) is True; a history may become empty."""
        counts = torch.bincount(self.owners[kept], minlength=len(self))
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        weights = None if self.weights is None else self.weights[kept]
        return Histories(self.items[kept], offsets, self.users, weights)

    def localized(self) -> tuple[Tensor, Histories]:
        """Return the distinct items (R,), ascending, and the same histories as positions among them."""
        rows, positions = self._distinct
        return rows, replace(self, items=positions)

    @property
    def distinct(self) -> Tensor:
        """(R,) the distinct items, ascending."""
        return self._distinct[0]

    @cached_property
    def _distinct(self) -> tuple[Tensor, Tensor]:
        rows, positions = torch.unique(self.items, return_inverse=True)
        return rows, positions

    def padded(self) -> tuple[Tensor, Tensor]:
        """Return items and weights (B, L) for the longest history's L; beyond the end of one, item 0 of weight 0."""
        return self._padded

    @cached_property
    def _padded(self) -> tuple[Tensor, Tensor]:
        longest = int(self.lengths.max()) if len(self) else 0
        places = torch.arange(longest, device=self.items.device)
        there = places < self.lengths[:, None]
        items = self.items.new_zeros(len(self), longest)
        items[there] = self.items
        weights = there.float()
        if self.weights is not None:
            weights[there] = self.weights.float()
        return items, weights

    def dense(self, n_rows: int) -> Tensor:
        """Return (B, n_rows) in bfloat16, 1 where the item is in the history, 0 elsewhere."""
        table = torch.zeros(len(self), n_rows, dtype=torch.bfloat16, device=self.items.device)
        table[self.owners, self.items] = 1.0
        return table

    def transposed(self, n_rows: int) -> Histories:
        """Swap roles: for each of ``n_rows`` items the users of the batch that have it."""
        order = torch.argsort(self.items, stable=True)
        counts = torch.bincount(self.items, minlength=n_rows)
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        weights = None if self.weights is None else self.weights[order]
        return Histories(self.owners[order], offsets, weights=weights)

    def membership(self, columns: Tensor | None, n_columns: int) -> Tensor:
        """Return (B, C) bool, True where the candidate of that column is in the history.

        ``columns`` holds the candidates' item rows, ascending; None means all items in order.
        """
        inside = torch.zeros(len(self), n_columns, dtype=torch.bool, device=self.items.device)
        inside[self.places(columns)] = True
        return inside

    def places(self, columns: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return where `membership` is True: rows of the batch (n,) and columns (n,)."""
        _, users, places = self._among(columns)
        return users, places

    def others(self, columns: Tensor | None, n_columns: int, dtype: torch.dtype) -> Tensor:
        r"""Return (B, C), the number |H\j| of history items other than the candidate, each as often as it counts.

        ``columns`` as of `membership`.
        """
        weights = torch.ones_like(self.items) if self.weights is None else self.weights
        weights = weights.double()  # in single precision a large weight would swallow the small ones
        totals = weights.new_zeros(len(self)).index_add_(0, self.owners, weights)
        entries, users, places = self._among(columns)
        others = totals.to(dtype)[:, None].repeat(1, n_columns)
        others[users, places] = (totals[users] - weights[entries]).to(dtype)
        return others

    def _among(self, columns: Tensor | None) -> tuple[Tensor | slice, Tensor, Tensor]:
        """Return the entries whose item is a candidate, and their places in the (B, C) table."""
        users, items = self.owners, self.items
        if columns is None:
            return slice(None), users, items
        places = torch.searchsorted(columns, items).clamp(max=max(len(columns) - 1, 0))
        found = columns[places] == items
        return found, users[found], places[found]


class _HistorySum(torch.autograd.Function):
    """Sum the rows of a table over each history; the gradient is the same sum over the transposed histories.

    Costs nnz x C in both directions, where a dense product costs B x R x C.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        table: Tensor,
        items: Tensor,
        offsets: Tensor,
        weights: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(items, offsets, weights)  # type: ignore[arg-type]
        ctx.n_rows = len(table)  # type: ignore[attr-defined]
        histories = Histories(items, offsets, weights=weights)
        ctx.dense = histories.dense(len(table)) if _by_product(histories, table) else None  # type: ignore[attr-defined]
        if ctx.dense is not None:  # type: ignore[attr-defined]
            return rounded_product(ctx.dense, table)  # type: ignore[attr-defined]
        return bag_sum(table, histories)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, None, None, None]:
        if ctx.dense is not None:  # type: ignore[attr-defined]
            return rounded_product(ctx.dense.T, gradients[0]), None, None, None  # type: ignore[attr-defined]
        items, offsets, weights = ctx.saved_tensors  # type: ignore[attr-defined]
        transposed = Histories(items, offsets, weights=weights).transposed(ctx.n_rows)  # type: ignore[attr-defined]
        return bag_sum(gradients[0].contiguous(), transposed), None, None, None


def _by_product(histories: Histories, table: Tensor) -> bool:
    """Whether the sums are a product of the dense table of histories, whose ones and zeros rounding leaves alone."""
    if not is_rounding() or histories.weights is not None or table.dtype != torch.float32:
        return False
    least = _PRODUCT_FROM.get(table.device.type, math.inf)
    return bool(len(histories.items)) and len(histories.items) >= least * len(histories) * len(table)


def bag_sum(table: Tensor, histories: Histories) -> Tensor:
    """Return the sums of `history_sum` without a way back to the table."""
    if not len(histories.items):
        return table.new_zeros(len(histories), table.shape[1])
    nnz, (n_rows, width) = len(histories.items), table.shape
    # it copies the table once, and its threads share the columns
    serves = nnz >= n_rows and width >= _COLUMNS_OF_A_THREAD * torch.get_num_threads()
    if serves and (library := library_for(float(nnz) * width, table)):
        lists = Lists.of(histories.items, histories.offsets, histories.weights)
        return row_sums(library, table.contiguous(), lists)
    sums: Tensor = torch.nn.functional.embedding_bag(
        histories.items,
        table,
        histories.offsets,
        mode="sum",
        include_last_offset=True,
        per_sample_weights=None if histories.weights is None else histories.weights.to(table.dtype),
    )
    return sums


def history_sum(histories: Histories, table: Tensor) -> Tensor:
    """Return (B, C): for each history the weighted sum of its rows of ``table`` (R, C), differentiable in the table."""
    sums: Tensor = _HistorySum.apply(table, histories.items, histories.offsets, histories.weights)  # type: ignore[no-untyped-call]
    return sums
