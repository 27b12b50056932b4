"""Connections to the store: SQLite as a file of this machine, or PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from irisrec.errors import ConfigError

WRITES = "irisrec_writes"  # execution option of a connection whose transaction will write
_BUSY_SECONDS = 5


def engine_of(url: str) -> Engine:
    """Return an engine for ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "the database needs a URL such as sqlite:///history.sqlite3 or postgresql://user@host/name"
        ) from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise ConfigError(f"the history store can be SQLite or PostgreSQL, got {kind}")
    try:
        if kind == "postgresql":
            # a connection that died with the server is noticed before it is used
            options: dict[str, Any] = {
                "pool_pre_ping": True,
                "pool_size": 8,
                "max_overflow": 8,
                "pool_timeout": 5,
            }
            return create_engine(parsed, connect_args={"connect_timeout": 3}, **options)
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ConfigError("PostgreSQL needs psycopg; pip install 'irisrec[postgres]'") from None
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Write ahead, so that readers do not wait; what is acknowledged is on the disk; what is deleted is wiped."""
    connection.isolation_level = None  # transactions begin below, not where the driver thinks
    _write_ahead(connection)
    for pragma in ("synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: Any) -> None:
    """Of connections that open a new file at once one changes its journal, and SQLite lets the others not wait."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # one that writes asks for its turn at once: asking in the middle can fail
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
