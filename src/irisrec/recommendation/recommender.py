"""Recommender: ids in, ranked items with reasons out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError, some
from irisrec.ids import Id, IdMap
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories


@dataclass(frozen=True)
class Reason:
    """A history item that speaks for (or against) a recommendation.

    Attributes:
        item_id, title: of the history item.
        relevance: a_ij, how much it counts for this candidate; 1 in a model that does not tell items apart.
        contribution: c_ij, its share of the score; all of them and the candidate's bias sum to the score.
    """

    item_id: Id
    title: str
    relevance: float
    contribution: float


@dataclass(frozen=True)
class Recommendation:
    """A recommended item.

    Attributes:
        item_id, title: of the item.
        score: the raw logit.
        probability: its sigmoid, where the model was fitted for that; else None.
        because: the history items that contributed most, highest contribution first.
    """

    item_id: Id
    title: str
    score: float
    probability: float | None
    because: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class Recommender:
    """A trained model that speaks ids: needs no data set, only what its run folder holds.

    Args:
        model: scores histories of item rows.
        catalog: row ``i`` describes item ``i``.
        users: known users, row ``u`` of ``histories`` belongs to ``users.ids([u])``.
        histories: (n_users, n_items), what each known user had.
    """

    def __init__(
        self, model: Scorer, catalog: Catalog, users: IdMap | None = None, histories: csr_matrix | None = None
    ) -> None:
        self.model = model.eval()
        self.catalog = catalog
        self.items = IdMap(catalog.frame["item_id"], "item")
        self.users = users
        self.histories = histories
        self._titles = catalog.titles

    @classmethod
    def load(cls, run: Path | str) -> Self:
        """Load from a run folder."""
        from irisrec.recommendation.storage import load_recommender

        model, catalog, users, histories = load_recommender(Path(run))
        return cls(model, catalog, users, histories)

    def history_of(self, user: Id) -> list[Id]:
        """Return the items that a known user had."""
        return self.items.ids(self._rows_of(user))

    def recommend(
        self,
        user: Id | None = None,
        *,
        history: Iterable[Id] | None = None,
        k: int = 10,
        n_reasons: int = 3,
        exclude_seen: bool = True,
    ) -> list[Recommendation]:
        """Return the ``min(k, allowed)`` best items for a known user, or for anybody with a history.

        Equal scores keep the order of the catalog. An empty history is allowed: only the items' biases speak then.
        A model that learns something per user (``knows_users_only``) answers for known users alone.

        Args:
            user: id of a user the model was trained with; or
            history: item ids, in any order; repeated ones count once.
            k: number of items wanted.
            n_reasons: number of history items to name for each.
            exclude_seen: whether the history's items are left out.
        """
        if (user is None) == (history is None):
            raise DataError(
                "recommend for either a user or a history, got " + ("neither" if user is None else "both")
            )
        if k < 1:
            raise DataError(f"k must be at least 1, got {k}")
        rows = self._rows_of(user) if user is not None else self._rows(history or ())
        scores = self._scores(rows, user)
        allowed = np.ones(len(self.items), bool)
        if exclude_seen:
            allowed[rows] = False
        order = np.argsort(-scores, kind="stable")
        chosen = order[allowed[order]][:k]
        reasons = self._reasons(rows, chosen, n_reasons)
        ids = self.items.ids(chosen)
        return [
            Recommendation(
                ids[place], self._titles[row], float(scores[row]), self._probability(scores[row]), reason
            )
            for place, (row, reason) in enumerate(zip(chosen, reasons, strict=True))
        ]

    def _user_row(self, user: Id) -> int:
        assert self.users is not None
        return int(self.users.index([user])[0])

    def _rows_of(self, user: Id) -> NDArray[np.int64]:
        if self.users is None or self.histories is None:
            raise DataError("this recommender knows no users; give a history of item ids")
        if user not in self.users:
            raise DataError(
                f"user {user!r} is not among the {len(self.users):,} known users such as "
                f"{some(self.users.series.head(2))}; give a history of item ids instead"
            )
        row = self._user_row(user)
        start, stop = self.histories.indptr[row : row + 2]
        return np.asarray(self.histories.indices[start:stop], np.int64)

    def _rows(self, history: Iterable[Id]) -> NDArray[np.int64]:
        return np.unique(self.items.index(list(history)))

    def _scores(self, rows: NDArray[np.int64], user: Id | None) -> NDArray[np.float64]:
        histories = Histories.of([rows])
        if user is not None:
            histories = replace(histories, users=torch.tensor([self._user_row(user)]))
        with torch.no_grad():
            scores: NDArray[np.float64] = self.model.score(histories)[0].double().numpy()
        return scores

    def _probability(self, score: float) -> float | None:
        return float(1 / (1 + np.exp(-score))) if self.model.is_probabilistic else None

    def _reasons(
        self, rows: NDArray[np.int64], chosen: NDArray[np.int64], n_reasons: int
    ) -> Sequence[tuple[Reason, ...]]:
        if not (n_reasons and len(rows) and len(chosen) and self.model.has_reasons):
            return [()] * len(chosen)
        ascending = np.sort(chosen)
        reasons = self.model.reasons(torch.from_numpy(rows), torch.from_numpy(ascending))
        contribution, relevance = reasons.contribution.numpy(), reasons.relevance.numpy()
        ids = self.items.ids(rows)
        named = []
        for column in np.searchsorted(ascending, chosen):
            top = np.argsort(-contribution[:, column], kind="stable")[:n_reasons]
            named.append(
                tuple(
                    Reason(
                        ids[i],
                        self._titles[rows[i]],
                        float(relevance[i, column]),
                        float(contribution[i, column]),
                    )
                    for i in top
                    if rows[i] != ascending[column]  # seen items allowed: a candidate is no reason for itself
                )
            )
        return named
