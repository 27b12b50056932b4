"""Whom a list is for: what the run knows of a user, and what the store knows since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from irisrec.errors import DataError
from irisrec.ids import Id
from irisrec.recommendation.asking import Asked
from irisrec.recommendation.history import recency
from irisrec.serving.errors import NotFoundError
from irisrec.serving.served import Served
from irisrec.serving.store.history import Past


@dataclass(frozen=True)
class Person:
    """Somebody in rows, and how many stored events were not counted."""

    asked: Asked
    n_left_out: int = 0


def person_of(served: Served, user_id: Id, past: Past, half_life: float | None = None) -> Person:
    """Join a user's history in the run, unless it is to be forgotten, with the events that came since.

    An item that was had several times counts once, with its last time that is known.

    Raises:
        NotFoundError: a user of whom nothing is known.
        DataError: a half-life where nothing has a time.
    """
    served.check_user(user_id)
    row = -1 if past.is_forgotten else served.user_row(user_id)
    if row < 0 and not past.events:
        raise NotFoundError(
            f"user {user_id!r} is neither among the {len(served.known.ids):,} users of the run nor has sent events; "
            "give a history of item ids instead"
        )
    times: dict[int, float] = {}
    if row >= 0:
        items, when = served.known.history(row)
        times = dict(
            zip(items.tolist(), [np.nan] * len(items) if when is None else when.tolist(), strict=True)
        )
    rows = served.items.lookup([event.item_id for event in past.events]).tolist()
    for item, event in zip(rows, past.events, strict=True):
        if item >= 0:
            moment = np.nan if event.time is None else event.time
            times[item] = float(np.fmax(times.get(item, np.nan), moment))
    order = np.array(sorted(times), np.int64)
    weights = None
    if half_life is not None:
        ages = np.array([times[item] for item in order.tolist()])
        if not np.isfinite(ages).any():
            raise DataError(f"a half-life needs times, and nothing of user {user_id!r} has one; leave it out")
        weights = recency(ages, half_life).astype(np.float32)
    n_left_out = past.n_events - sum(item >= 0 for item in rows)
    return Person(Asked(order, weights, row), n_left_out)
