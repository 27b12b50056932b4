"""What people did: events, histories, and being forgotten."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request

from irisrec.recommendation.history import as_numbers
from irisrec.serving.errors import NotFoundError
from irisrec.serving.routes.shared import TheService, at_most, errors
from irisrec.serving.schemas.answers import Forgotten, History, HistoryEntry, Kept
from irisrec.serving.schemas.asked import VISIBLE, EventAsked, InteractionsAsked
from irisrec.serving.served import Served
from irisrec.serving.store.history import Event, Past

router = APIRouter(tags=["people"])
_UserId = Annotated[str, Path(min_length=1, max_length=256, pattern=VISIBLE)]


@router.post("/interactions", responses=errors(409, 413, 507))
async def interactions(asked: InteractionsAsked, service: TheService) -> Kept:
    """Keep events, all or none; the next recommendation counts them.

    The answer comes when they are on the disk. Without one, send them again: an event id counts once.
    """
    at_most("events", len(asked.events), service.settings.limits.events)
    events = [_event(event) for event in asked.events]
    n_new = await service.append(events)
    return Kept(event_ids=[event.event_id for event in events], n_new=n_new, n_known=len(events) - n_new)


@router.get("/users/{user_id:path}/history", responses=errors(404))
async def history(
    user_id: _UserId, service: TheService, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> History:
    """Return what a user had, ``limit`` entries at most."""
    served = service.served
    at_most("limit", limit, service.settings.limits.history)
    id = served.known.ids.parse(user_id)
    past = await service.past(id)
    row = -1 if past.is_forgotten else served.user_row(id)
    if row < 0 and not past.events:
        raise NotFoundError(f"nothing is known of user {id!r}")
    entries = _sent(served, past) + _trained(served, row)
    n_training = len(entries) - len(past.events)
    return History(user_id=id, entries=entries[:limit], n_events=past.n_events, n_training=n_training)


@router.delete("/users/{user_id:path}", responses=errors(507))
async def forget(user_id: _UserId, request: Request, service: TheService) -> Forgotten:
    """Forget a user: events are deleted, and what the run knows of the user is never used again.

    A run that is trained later must be trained without the user; what it learned from all users together stays. A slash
    in an id is sent as ``%2F``.
    """
    # of a history alone nothing can be deleted; of an id that ends so, the slash is sent as %2F
    if request.scope.get("raw_path", request.url.path.encode()).endswith(b"/history"):
        raise HTTPException(405, headers={"Allow": "GET"})
    served = service.served
    id = served.known.ids.parse(user_id)
    n_events = await service.forget(id)
    return Forgotten(user_id=id, n_events=n_events, was_in_training=served.user_row(id) >= 0)


def _event(asked: EventAsked) -> Event:
    time = None if asked.time is None else float(as_numbers([asked.time])[0])
    return Event(asked.event_id or str(uuid.uuid4()), asked.user_id, asked.item_id, time)


def _sent(served: Served, past: Past) -> list[HistoryEntry]:
    rows = served.items.lookup([event.item_id for event in past.events]).tolist()
    titles = served.recommender.catalog.titles
    return [
        HistoryEntry(
            item_id=event.item_id,
            title=titles[row] if row >= 0 else None,
            source="event",
            event_id=event.event_id,
            time=event.time,
        )
        for row, event in zip(rows, past.events, strict=True)
    ]


def _trained(served: Served, row: int) -> list[HistoryEntry]:
    if row < 0:
        return []
    rows, times = served.known.history(row)
    titles = served.recommender.catalog.titles
    known = (
        [None] * len(rows) if times is None else [time if time == time else None for time in times.tolist()]
    )
    return [
        HistoryEntry(item_id=id, title=titles[item], source="training", event_id=None, time=time)
        for id, item, time in zip(served.items.ids(rows), rows.tolist(), known, strict=True)
    ]
