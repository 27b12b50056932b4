"""The users that a recommender knows, and what they had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import DataError, some
from irisrec.ids import Id, IdMap

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class KnownUsers:
    """Users and their histories, one after another.

    Attributes:
        ids: user ``u`` is ``ids.ids([u])``.
        bounds: (n_users + 1,), the history of user ``u`` is ``items[bounds[u]:bounds[u + 1]]``.
        items: (nnz,) item rows, ascending in each history.
        counts: (n_items,), how many of the users had each item.
        times: (nnz,) when, NaN where it is not known, as of `irisrec.recommendation.history.as_numbers`; None without
            any times.
    """

    ids: IdMap
    bounds: NDArray[np.int64]
    items: NDArray[np.int64]
    counts: NDArray[np.int64]
    times: NDArray[np.float64] | None = None

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
        order = np.argsort(
            users * n_items + items, kind="stable"
        )  # stable: quick where most is sorted already
        bounds = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(ids)))])
        counts = np.bincount(items, minlength=n_items)
        return cls(ids, bounds, items[order], counts, None if times is None else times[order])

    @classmethod
    def of_matrix(cls, ids: IdMap, histories: csr_matrix) -> Self:
        """Build from a (n_users, n_items) matrix whose stored entries are what each user had."""
        pairs = histories.tocoo()
        return cls.of_pairs(ids, pairs.row.astype(np.int64), pairs.col.astype(np.int64), histories.shape[1])

    def with_new_items(self, n: int) -> Self:
        """Return the same users where there are n more items, which nobody had."""
        return replace(self, counts=np.concatenate([self.counts, np.zeros(n, self.counts.dtype)]))

    def row(self, user: Id) -> int:
        """Return the row of a user; an unknown one is an error."""
        found = int(self.ids.lookup([user])[0])
        if found < 0:
            raise DataError(
                f"user {user!r} is not among the {len(self.ids):,} known users such as "
                f"{some(self.ids.series.head(2))}; give a history of item ids instead"
            )
        return found

    def history(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        """Return a user's item rows, ascending, and when each was had."""
        entries = slice(*self.bounds[row : row + 2])
        return self.items[entries], None if self.times is None else self.times[entries]
