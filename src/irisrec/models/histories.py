"""Histories: the items that each user of a batch had before, as one flat list with offsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor


@dataclass(frozen=True)
class Histories:
    """B histories over item rows, each a set: an item stands at most once in a history.

    Attributes:
        items: (nnz,) int64, the histories one after another.
        offsets: (B + 1,) int64, history ``b`` is ``items[offsets[b]:offsets[b + 1]]``; may be empty.
        users: (B,) int64, the row of each user among those the model was trained with, where they are known users;
            read only by models that learn something per user.
    """

    items: Tensor
    offsets: Tensor
    users: Tensor | None = None

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

    @property
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
        return Histories(self.items.to(device), self.offsets.to(device), users)

    def part(self, start: int, stop: int) -> Histories:
        """Return the histories ``start`` to ``stop`` of the batch."""
        offsets = self.offsets[start : stop + 1]
        users = None if self.users is None else self.users[start:stop]
        return Histories(self.items[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0], users)

    def only(self, kept: Tensor) -> Histories:
        """Return the entries where ``kept`` (nnz,) is True; a history may become empty."""
        counts = torch.bincount(self.owners[kept], minlength=len(self))
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return Histories(self.items[kept], offsets, self.users)

    def localized(self) -> tuple[Tensor, Histories]:
        """Return the distinct items (R,), ascending, and the same histories as positions among them."""
        rows, positions = torch.unique(self.items, return_inverse=True)
        return rows, Histories(positions, self.offsets, self.users)

    def transposed(self, n_rows: int) -> Histories:
        """Swap roles: for each of ``n_rows`` items the users of the batch that have it."""
        order = torch.argsort(self.items, stable=True)
        counts = torch.bincount(self.items, minlength=n_rows)
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return Histories(self.owners[order], offsets)

    def membership(self, columns: Tensor | None, n_columns: int) -> Tensor:
        """Return (B, C) bool, True where the candidate of that column is in the history.

        ``columns`` holds the candidates' item rows, ascending; None means all items in order.
        """
        inside = torch.zeros(len(self), n_columns, dtype=torch.bool, device=self.items.device)
        users, items = self.owners, self.items
        if columns is not None:
            places = torch.searchsorted(columns, items).clamp(max=max(n_columns - 1, 0))
            found = columns[places] == items
            users, items = users[found], places[found]
        inside[users, items] = True
        return inside


class _HistorySum(torch.autograd.Function):
    """Sum the rows of a table over each history; the gradient is the same sum over the transposed histories.

    Costs nnz x C in both directions, where a dense product would cost B x R x C.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, table: Tensor, items: Tensor, offsets: Tensor
    ) -> Tensor:
        ctx.save_for_backward(items, offsets)
        ctx.n_rows = len(table)  # type: ignore[attr-defined]
        return _bag_sum(table, Histories(items, offsets))

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, None]:
        items, offsets = ctx.saved_tensors  # type: ignore[attr-defined]
        transposed = Histories(items, offsets).transposed(ctx.n_rows)  # type: ignore[attr-defined]
        return _bag_sum(gradients[0].contiguous(), transposed), None, None


def _bag_sum(table: Tensor, histories: Histories) -> Tensor:
    if not len(histories.items):
        return table.new_zeros(len(histories), table.shape[1])
    sums: Tensor = torch.nn.functional.embedding_bag(
        histories.items, table, histories.offsets, mode="sum", include_last_offset=True
    )
    return sums


def history_sum(histories: Histories, table: Tensor) -> Tensor:
    """Return (B, C): for each history the sum of its rows of ``table`` (R, C), differentiable in the table."""
    return _HistorySum.apply(table, histories.items, histories.offsets)  # type: ignore[no-any-return, no-untyped-call]
