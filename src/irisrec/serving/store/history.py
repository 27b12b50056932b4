"""The history store: events of users, appended, read back and forgotten."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from irisrec.errors import count_of, some
from irisrec.ids import Id
from irisrec.serving.errors import ConflictError
from irisrec.serving.store.database import Database
from irisrec.serving.store.tables import EVENTS, FACTS, FORGOTTEN


@dataclass(frozen=True)
class Event:
    """A user had an item.

    Attributes:
        event_id: names the event; one that is sent twice counts once.
        user_id, item_id: who had what.
        time: when, in the unit of the run's times; None where not known.
    """

    event_id: str
    user_id: Id
    item_id: Id
    time: float | None = None


@dataclass(frozen=True)
class Past:
    """What the store knows of a user.

    Attributes:
        events: the newest ones, newest first.
        n_events: of all.
        is_forgotten: whether the user asked to be forgotten, so that what the run knows must not be used.
    """

    events: tuple[Event, ...] = ()
    n_events: int = 0
    is_forgotten: bool = False


class HistoryStore:
    """Events in a database; ids are kept as text and read back as the kind that the run has.

    Every call is a transaction of its own. A connection that broke is tried once more: all calls may be repeated.
    """

    def __init__(self, url: str, user_kind: str, item_kind: str) -> None:
        self.database = Database(url, user_kind, item_kind)
        self._read_user = int if user_kind == "integer" else str
        self._read_item = int if item_kind == "integer" else str

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def ping(self) -> None:
        """Raise an UnavailableError where the store does not answer."""
        self.database.read(lambda connection: connection.execute(select(FACTS.c.value).limit(1)).all())

    def append(self, events: Sequence[Event]) -> int:
        """Keep all events or none, and return how many of them are new; when this returns they are on the disk.

        Raises:
            ConflictError: an event id that stands for another event already.
            StoreFullError: no room.
        """
        rows: dict[str, Event] = {}
        for event in events:
            other = rows.setdefault(event.event_id, event)
            if other != event:
                raise ConflictError(
                    f"event id {event.event_id!r} stands for two different events of this request"
                )
        return self.database.write(lambda connection: self._append(connection, list(rows.values())))

    def past(self, user_id: Id, limit: int) -> Past:
        """Return what is known of a user, of the events the newest ``limit``."""
        return self.pasts([user_id], limit)[0]

    def pasts(self, user_ids: Sequence[Id], limit: int) -> list[Past]:
        """Return what is known of each user."""
        return self.database.read(lambda connection: [self._past(connection, id, limit) for id in user_ids])

    def forget(self, user_id: Id) -> int:
        """Delete a user's events, and never use what the run knows of the user; return how many events went.

        What stays is a salted hash of the id, by which a run that was trained before is kept from using its history.
        """
        deleted = self.database.write(lambda connection: self._forget(connection, user_id))
        self.database.fold_log()
        return deleted

    def _append(self, connection: Connection, events: list[Event]) -> int:
        now = time.time()
        values = [
            {
                "event_id": event.event_id,
                "user_id": str(event.user_id),
                "item_id": str(event.item_id),
                "time": event.time,
                "received": now,
            }
            for event in events
        ]
        kept = self.database.insert(EVENTS).values(values).on_conflict_do_nothing(index_elements=["event_id"])
        new = set(connection.execute(kept.returning(EVENTS.c.event_id)).scalars())
        known = {event.event_id: event for event in events if event.event_id not in new}
        if known:
            there = self._events(connection, EVENTS.c.event_id.in_(known))
            if wrong := [event.event_id for event in there if event != known[event.event_id]]:
                raise ConflictError(
                    f"{count_of(len(wrong), 'event id')} of this request "
                    f"{'stands' if len(wrong) == 1 else 'stand'} for another event already: {some(wrong)}; "
                    "nothing was kept"
                )
        return len(new)

    def _past(self, connection: Connection, user_id: Id, limit: int) -> Past:
        mine = EVENTS.c.user_id == str(user_id)
        events = tuple(self._events(connection, mine, limit))
        n_events = len(events)
        if n_events == limit:
            n_events = connection.execute(select(func.count()).select_from(EVENTS).where(mine)).scalar_one()
        digest = self._digest(user_id)
        forgotten = connection.execute(select(FORGOTTEN.c.digest).where(FORGOTTEN.c.digest == digest)).first()
        return Past(events, n_events, forgotten is not None)

    def _events(self, connection: Connection, which: object, limit: int | None = None) -> Iterator[Event]:
        columns = EVENTS.c.event_id, EVENTS.c.user_id, EVENTS.c.item_id, EVENTS.c.time
        query = select(*columns).where(which).order_by(EVENTS.c.number.desc()).limit(limit)  # type: ignore[arg-type]
        for event_id, user_id, item_id, moment in connection.execute(query):
            yield Event(event_id, self._read_user(user_id), self._read_item(item_id), moment)

    def _forget(self, connection: Connection, user_id: Id) -> int:
        known = self.database.insert(FORGOTTEN).values(digest=self._digest(user_id))
        connection.execute(known.on_conflict_do_nothing(index_elements=["digest"]))
        return connection.execute(delete(EVENTS).where(EVENTS.c.user_id == str(user_id))).rowcount

    def _digest(self, user_id: Id) -> str:
        return hashlib.sha256(f"{self.database.salt} {user_id}".encode()).hexdigest()
