"""The tables of the history store, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, MetaData, String, Table

METADATA = MetaData()

FACTS = Table(
    "facts",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("user_id", String, nullable=False, index=True),
    Column("item_id", String, nullable=False),
    Column("time", Float),
    Column("received", Float, nullable=False),
)
FORGOTTEN = Table("forgotten", METADATA, Column("digest", String, primary_key=True))
ITEMS = Table(
    "items",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("item_id", String, nullable=False, unique=True),
    Column("given", String, nullable=False),
    Column("picture", LargeBinary),
)
