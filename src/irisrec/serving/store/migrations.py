"""Migrations: numbered steps that bring the tables of a store up to date, each once and whole.

A step is never changed after a release; a change of the tables is a further step at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, inspect

from irisrec.errors import RunError

_NUMBER = {
    "sqlite": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}
_LOCK = 0x69726973  # of PostgreSQL, so that of several services that start together one migrates


def _histories(connection: Connection) -> None:
    run = connection.exec_driver_sql
    run("CREATE TABLE facts (name VARCHAR NOT NULL PRIMARY KEY, value VARCHAR NOT NULL)")
    run(
        f"CREATE TABLE events (number {_NUMBER[connection.dialect.name]}, event_id VARCHAR NOT NULL UNIQUE, "
        "user_id VARCHAR NOT NULL, "
        "item_id VARCHAR NOT NULL, time DOUBLE PRECISION, received DOUBLE PRECISION NOT NULL)"
    )
    run("CREATE INDEX ix_events_user_id ON events (user_id)")
    run("CREATE TABLE forgotten (digest VARCHAR NOT NULL PRIMARY KEY)")
    run(f"INSERT INTO facts VALUES ('salt', '{secrets.token_hex(16)}')")


def _items(connection: Connection) -> None:
    binary = {"sqlite": "BLOB", "postgresql": "BYTEA"}[connection.dialect.name]
    connection.exec_driver_sql(
        f"CREATE TABLE items (number {_NUMBER[connection.dialect.name]}, item_id VARCHAR NOT NULL UNIQUE, "
        f"given VARCHAR NOT NULL, picture {binary})"
    )


STEPS: tuple[Callable[[Connection], None], ...] = (_histories, _items)


def migrate(connection: Connection) -> None:
    """Take the steps that a store has not taken yet, within the connection's transaction.

    Raises:
        RunError: a store that a newer version has changed.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    taken = 0
    if inspect(connection).has_table("facts"):
        found = connection.exec_driver_sql("SELECT value FROM facts WHERE name = 'version'").scalar_one()
        taken = int(found)
    if taken > len(STEPS):
        raise RunError(
            f"the history store has version {taken}, this version of irisrec knows {len(STEPS)}; "
            "update irisrec, or use another store"
        )
    if taken == len(STEPS):
        return
    for step in STEPS[taken:]:
        step(connection)
    connection.exec_driver_sql("DELETE FROM facts WHERE name = 'version'")
    connection.exec_driver_sql(f"INSERT INTO facts VALUES ('version', '{len(STEPS)}')")
