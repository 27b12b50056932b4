"""The history store: events of users, appended, read back and forgotten."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from irisrec.errors import RunError, count_of, some
from irisrec.ids import Id
from irisrec.serving.errors import ConflictError, StoreFullError, UnavailableError
from irisrec.serving.store.engine import WRITES, engine_of
from irisrec.serving.store.migrations import migrate
from irisrec.serving.store.tables import EVENTS, FACTS, FORGOTTEN

T = TypeVar("T")
_AGAIN = ("40P01", "40001")  # PostgreSQL: deadlock detected, serialization failure


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
        self.engine: Engine = engine_of(url)
        self._read_user = int if user_kind == "integer" else str
        self._read_item = int if item_kind == "integer" else str
        self._insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert
        kinds = {"user_ids": user_kind, "item_ids": item_kind}
        self._salt = self._try(lambda connection: _open(connection, kinds), writes=True)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def ping(self) -> None:
        """Raise an UnavailableError where the store does not answer."""
        self._try(lambda connection: connection.execute(select(FACTS.c.value).limit(1)).all())

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
        return self._try(lambda connection: self._append(connection, list(rows.values())), writes=True)

    def past(self, user_id: Id, limit: int) -> Past:
        """Return what is known of a user, of the events the newest ``limit``."""
        return self.pasts([user_id], limit)[0]

    def pasts(self, user_ids: Sequence[Id], limit: int) -> list[Past]:
        """Return what is known of each user."""
        return self._try(lambda connection: [self._past(connection, id, limit) for id in user_ids])

    def forget(self, user_id: Id) -> int:
        """Delete a user's events, and never use what the run knows of the user; return how many events went.

        What stays is a salted hash of the id, by which a run that was trained before is kept from using its history.
        """
        deleted = self._try(lambda connection: self._forget(connection, user_id), writes=True)
        if self.engine.dialect.name == "sqlite":  # the log still has the deleted rows until it is folded in
            self._try(lambda connection: connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())
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
        kept = self._insert(EVENTS).values(values).on_conflict_do_nothing(index_elements=["event_id"])
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
        known = self._insert(FORGOTTEN).values(digest=self._digest(user_id))
        connection.execute(known.on_conflict_do_nothing(index_elements=["digest"]))
        return connection.execute(delete(EVENTS).where(EVENTS.c.user_id == str(user_id))).rowcount

    def _digest(self, user_id: Id) -> str:
        return hashlib.sha256(f"{self._salt} {user_id}".encode()).hexdigest()

    def _try(self, work: Callable[[Connection], T], writes: bool = False) -> T:
        try:
            try:
                with self._transaction(writes) as connection:
                    return work(connection)
            except DBAPIError as error:
                if not (error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _AGAIN):
                    raise
            with self._transaction(writes) as connection:
                return work(connection)
        except (SQLAlchemyError, PoolTimeout) as error:
            raise _in_words(error) from error

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: writes})
            with connection.begin():
                yield connection


def _open(connection: Connection, kinds: dict[str, str]) -> str:
    """Bring the tables up to date, check that the ids are of the kinds that the store has, and return its salt."""
    migrate(connection)
    facts = {row.name: row.value for row in connection.execute(select(FACTS))}
    for name, kind in kinds.items():
        if name not in facts:
            connection.execute(insert(FACTS).values(name=name, value=kind))
        elif facts[name] != kind:
            raise RunError(
                f"the history store has {name.replace('_', ' ')} that are {facts[name]}s, those of this run are "
                f"{kind}s; use another store"
            )
    return str(facts["salt"])


def _in_words(error: SQLAlchemyError) -> UnavailableError | StoreFullError:
    text = str(getattr(error, "orig", error))
    if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
        return StoreFullError("the history store has no room left; nothing of this request was kept")
    return UnavailableError("the history store does not answer; try again")
