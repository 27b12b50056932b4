"""The users that a recommender knows, and what they had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.errors import DataError, some
from irisrec.ids import Id, IdMap


@dataclass(frozen=True)
class KnownUsers:
    """Users and their histories.

    Attributes:
        ids: row ``u`` of the histories belongs to ``ids.ids([u])``.
        histories: (n_users, n_items) ones, indices sorted.
        times: one number per entry of ``histories``, NaN where it is not known, as of
            `irisrec.recommendation.history.as_numbers`; None without any times.
    """

    ids: IdMap
    histories: csr_matrix
    times: NDArray[np.float64] | None = None

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
        entries = slice(*self.histories.indptr[row : row + 2])
        times = None if self.times is None else self.times[entries]
        return self.histories.indices[entries].astype(np.int64), times

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many of the users had each item, (n_items,)."""
        return np.bincount(self.histories.indices, minlength=self.histories.shape[1])
