"""The users that a recommender knows, and what they had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import DataError, some
from irisrec.ids import Id, IdMap

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Had = tuple[NDArray[np.int64], NDArray[np.float64] | None]


@dataclass(frozen=True)
class HistoryTable:
    """The histories of all users, one after another.

    Attributes:
        bounds: (n_users + 1,), the history of user ``u`` is ``items[bounds[u]:bounds[u + 1]]``.
        items: (nnz,) item rows, ascending in each history.
        counts: (n_items,), how many of the users had each item.
        times: (nnz,) when, NaN where it is not known, as of `irisrec.recommendation.history.as_numbers`; None without
            any times.
    """

    bounds: NDArray[np.int64]
    items: NDArray[np.int64]
    counts: NDArray[np.int64]
    times: NDArray[np.float64] | None = None

    @classmethod
    def of_pairs(
        cls,
        n_users: int,
        users: NDArray[np.int64],
        items: NDArray[np.int64],
        n_items: int,
        times: NDArray[np.float64] | None = None,
    ) -> Self:
        """Build from the user and the item row of each interaction, no pair twice, in any order."""
        order = np.argsort(
            users * n_items + items, kind="stable"
        )  # stable: quick where most is sorted already
        bounds = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=n_users))])
        counts = np.bincount(items, minlength=n_items)
        return cls(bounds, items[order], counts, None if times is None else times[order])

    def with_new_items(self, n: int) -> Self:
        """Return the same histories where there are n more items, which nobody had."""
        return replace(self, counts=np.concatenate([self.counts, np.zeros(n, self.counts.dtype)]))

    def of(self, row: int) -> Had:
        """Return a user's item rows, ascending, and when each was had."""
        entries = slice(*self.bounds[row : row + 2])
        return self.items[entries], None if self.times is None else self.times[entries]


class KnownUsers:
    """Users and their histories.

    Args:
        ids: user ``u`` is ``ids.ids([u])``.
        table: gives all histories; called when they are first needed, and once.
        alone: gives the history of one user by the row, as of `history`; where there is such a shorter way, the first
            user who is asked for goes it, and only with another one everything is read.
    """

    def __init__(
        self, ids: IdMap, table: Callable[[], HistoryTable], alone: Callable[[int], Had] | None = None
    ) -> None:
        self.ids = ids
        self._read, self._alone = table, alone
        self._first: tuple[int, Had] | None = None

    @classmethod
    def of_pairs(
        cls,
        ids: IdMap,
        users: NDArray[np.int64],
        items: NDArray[np.int64],
        n_items: int,
        times: NDArray[np.float64] | None = None,
    ) -> Self:
        """Build from the user and the item row of each interaction, no pair twice, in any order."""
        table = HistoryTable.of_pairs(len(ids), users, items, n_items, times)
        known = cls(ids, lambda: table)
        _ = known.table
        return known

    @classmethod
    def of_matrix(cls, ids: IdMap, histories: csr_matrix) -> Self:
        """Build from a (n_users, n_items) matrix whose stored entries are what each user had."""
        pairs = histories.tocoo()
        return cls.of_pairs(ids, pairs.row.astype(np.int64), pairs.col.astype(np.int64), histories.shape[1])

    @cached_property
    def table(self) -> HistoryTable:
        """The histories of all users."""
        return self._read()

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many of the users had each item, (n_items,)."""
        return self.table.counts

    def with_new_items(self, n: int) -> Self:
        """Return the same users where there are n more items, which nobody had."""
        if self._is_read:
            grown = self.table.with_new_items(n)
            return type(self)(self.ids, lambda: grown)
        return type(self)(self.ids, lambda: self.table.with_new_items(n), self._alone)

    @property
    def _is_read(self) -> bool:
        return "table" in self.__dict__

    def row(self, user: Id) -> int:
        """Return the row of a user; an unknown one is an error."""
        found = int(self.ids.lookup([user])[0])
        if found < 0:
            raise DataError(
                f"user {user!r} is not among the {len(self.ids):,} known users such as "
                f"{some(self.ids.series.head(2))}; give a history of item ids instead"
            )
        return found

    def history(self, row: int) -> Had:
        """Return a user's item rows, ascending, and when each was had."""
        if self._alone is not None and not self._is_read:
            if self._first is None:
                self._first = row, self._alone(row)
            if self._first[0] == row:
                return self._first[1]
        return self.table.of(row)
