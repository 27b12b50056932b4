"""Whom lists are for: known users and histories, from ids to rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from irisrec.errors import DataError
from irisrec.ids import Id, IdMap
from irisrec.models.histories import Histories
from irisrec.recommendation.history import History, as_numbers, recency
from irisrec.recommendation.known import KnownUsers


@dataclass(frozen=True)
class Asked:
    """Somebody whom a list is for, in rows.

    Attributes:
        items: (L,) item rows of the history, ascending.
        weights: (L,) float32, how many times each counts; None where each counts once.
        user: row among the users that the model was trained with; -1 for anybody else.
    """

    items: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None
    user: int = -1


def ask_for_user(known: KnownUsers, user: Id, half_life: float | None = None) -> Asked:
    """Look a known user up; with a half-life the items count by their age."""
    row = known.row(user)
    items, times = known.history(row)
    if half_life is not None and times is None:
        raise DataError("a half-life needs times, and the interactions of this run have none; leave it out")
    return Asked(items, _counted(None, times, half_life), row)


def ask_for_history(items: IdMap, history: Iterable[Id] | History, half_life: float | None = None) -> Asked:
    """Look the items of a history up; with a half-life they count by their age, too."""
    if not isinstance(history, History):
        history = History(list(dict.fromkeys(history)))
    if half_life is not None and history.times is None:
        raise DataError("a half-life needs times; give History(items, times=[…])")
    rows = items.index(list(history.items))
    order = np.argsort(rows)
    weights = None if history.weights is None else np.asarray(history.weights, np.float64)[order]
    times = None if history.times is None else as_numbers(history.times)[order]
    return Asked(rows[order], _counted(weights, times, half_life))


def as_histories(asked: Sequence[Asked]) -> Histories:
    """Return what models read; with the users' rows only where all of them are known."""
    histories = Histories.of([one.items for one in asked])
    if all(one.user >= 0 for one in asked):
        histories = replace(histories, users=torch.tensor([one.user for one in asked]))
    if all(one.weights is None for one in asked):
        return histories
    weights = [np.ones(len(one.items), np.float32) if one.weights is None else one.weights for one in asked]
    return replace(histories, weights=torch.from_numpy(np.concatenate(weights)))


def _counted(
    weights: NDArray[np.float64] | None, times: NDArray[np.float64] | None, half_life: float | None
) -> NDArray[np.float32] | None:
    if half_life is not None and times is not None:
        by_age = recency(times, half_life)
        weights = by_age if weights is None else weights * by_age
    return None if weights is None else weights.astype(np.float32)
