"""The database of the store: each piece of work a transaction, what breaks said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from irisrec.errors import RunError
from irisrec.serving.errors import StoreFullError, UnavailableError
from irisrec.serving.store.engine import WRITES, engine_of
from irisrec.serving.store.migrations import migrate
from irisrec.serving.store.tables import FACTS

T = TypeVar("T")
_AGAIN = ("40P01", "40001")  # PostgreSQL: deadlock detected, serialization failure


class Database:
    """An engine whose tables are up to date and whose ids are of the kinds that the run has.

    Work is done once more where its connection broke, so it must be such that it can be repeated.

    Attributes:
        engine: of SQLAlchemy.
        salt: of this database, for hashes of ids.
        insert: the statement of this kind of database that can pass over rows that are there.
    """

    def __init__(self, url: str, user_kind: str, item_kind: str) -> None:
        self.engine = engine_of(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.insert = sqlite.insert if self.is_sqlite else postgresql.insert
        kinds = {"user_ids": user_kind, "item_ids": item_kind}
        self.salt = self.write(lambda connection: _open(connection, kinds))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do work that reads alone.

        Raises:
            UnavailableError: a database that does not answer.
        """
        return self._try(work, writes=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work that writes, whole or not at all; when this returns it is on the disk.

        Raises:
            UnavailableError: a database that does not answer.
            StoreFullError: no room.
        """
        return self._try(work, writes=True)

    def fold_log(self) -> None:
        """Fold SQLite's log into its file, so that deleted rows are in neither.

        Where another connection keeps it from doing so, a later fold does it, at the latest when the store is closed.
        """
        if self.is_sqlite:
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                connection.close()

    def _try(self, work: Callable[[Connection], T], writes: bool) -> T:
        try:
            try:
                with self._transaction(writes) as connection:
                    return work(connection)
            except DBAPIError as error:
                if not (error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _AGAIN):
                    raise
            with self._transaction(writes) as connection:
                return work(connection)
        except SQLAlchemyError as error:
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
