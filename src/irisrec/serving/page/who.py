"""Whom a list is for: a user or nobody in particular, items that were added, and items that are set aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from irisrec.errors import count_of, some
from irisrec.ids import Id
from irisrec.recommendation.asking import Asked
from irisrec.serving.errors import NotFoundError
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
        NotFoundError: a user of whom nothing is known, or an item that is not in the catalog.
        DataError: an id of another kind.
    """
    user, known, n_left_out = None, Asked(np.empty(0, np.int64)), 0
    if state.user:
        user = served.known.ids.parse(state.user)
        try:
            person = await service.person(served, user)
        except NotFoundError:
            raise NotFoundError(
                f"user {user!r} is neither among the {len(served.known.ids):,} users of the run nor has sent events; "
                "choose another one, or click what somebody likes"
            ) from None
        known, n_left_out = person.asked, person.n_left_out
    added = _rows(served, state.added)
    order = tuple(dict.fromkeys([*known.items.tolist(), *added]))
    dropped = tuple(row for row in _rows(served, state.dropped) if row in order)
    whole = known if len(order) == len(known.items) else _asked(order)
    now = whole if not dropped else _asked(set(order) - set(dropped))
    return Someone(user, whole, now, order, dropped, n_left_out)


def _rows(served: Served, ids: Iterable[str]) -> list[int]:
    parsed = [served.items.parse(id) for id in ids]
    rows: list[int] = served.items.lookup(parsed).tolist()
    if unknown := [id for id, row in zip(parsed, rows, strict=True) if row < 0]:
        raise NotFoundError(
            f"{count_of(len(unknown), 'item')} of this history {'is' if len(unknown) == 1 else 'are'} not in the "
            f"catalog: {some(unknown)}"
        )
    return rows


def _asked(rows: Iterable[int]) -> Asked:
    return Asked(np.array(sorted(rows), np.int64))
