"""Whom a list is for: a user or nobody in particular, items that were added, and items that are set aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from irisrec.ids import Id
from irisrec.recommendation.asking import Asked
from irisrec.serving.page.state import State
from irisrec.serving.served import Served
from irisrec.serving.service import Service


@dataclass(frozen=True)
class Someone:
    """Somebody in rows.

    Attributes:
        user: id, None for a history that was built.
        whole: as they are, nothing set aside.
        now: what the list is made from.
        order: rows of the history in the order they are shown.
        dropped: rows that are set aside.
        n_left_out: stored events that the run cannot count.
    """

    user: Id | None
    whole: Asked
    now: Asked
    order: tuple[int, ...]
    dropped: tuple[int, ...]
    n_left_out: int = 0


async def someone(service: Service, served: Served, state: State) -> Someone:
    """Look somebody up.

    Raises:
        NotFoundError: a user of whom nothing is known.
        DataError: an id of another kind, or an item that is not in the catalog.
    """
    user, known, n_left_out = None, Asked(np.empty(0, np.int64)), 0
    if state.user:
        user = served.known.ids.parse(state.user)
        person = await service.person(served, user)
        known, n_left_out = person.asked, person.n_left_out
    added = _rows(served, state.added)
    order = tuple(dict.fromkeys([*known.items.tolist(), *added]))
    dropped = tuple(row for row in _rows(served, state.dropped) if row in order)
    whole = known if len(order) == len(known.items) else _asked(order)
    now = whole if not dropped else _asked(set(order) - set(dropped))
    return Someone(user, whole, now, order, dropped, n_left_out)


def _rows(served: Served, ids: Iterable[str]) -> list[int]:
    rows: list[int] = served.items.index([served.items.parse(id) for id in ids]).tolist()
    return rows


def _asked(rows: Iterable[int]) -> Asked:
    return Asked(np.array(sorted(rows), np.int64))
