"""Source "tables": one table of interactions and, where there is one, one table of items."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from irisrec.data.catalog import RESERVED, Catalog
from irisrec.data.config import Columns, DataConfig, IdType
from irisrec.data.interactions import Interactions
from irisrec.data.sources.encoding import looks_wrongly_decoded
from irisrec.data.sources.reading import Table, read_table
from irisrec.data.sources.values import read_ids, read_numbers, read_times, typed_columns
from irisrec.errors import count_of
from irisrec.notes import Note

USUAL = Columns(user="user_id", item="item_id", item_id="item_id")
_TIMES, _RATINGS, _TITLES, _TEXTS = (
    ("time", "timestamp"),
    ("rating",),
    ("title", "name"),
    ("text", "description"),
)


@dataclass(frozen=True)
class Loaded:
    """What a source gives: nothing filtered, nothing indexed yet.

    Attributes:
        interactions: in the order of the source.
        catalog: None where the source describes no items.
        notes: what was found on the way.
    """

    interactions: Interactions
    catalog: Catalog | None
    notes: tuple[Note, ...] = ()


def load_tables(config: DataConfig) -> Loaded:
    """Read the tables that the config names."""
    assert config.interactions is not None
    interactions = read_table(config.root, config.interactions, "data.interactions")
    items = read_table(config.root, config.items, "data.items") if config.items else None
    return assemble(interactions, items, config.columns.over(USUAL), config.id_type)


def assemble(interactions: Table, items: Table | None, columns: Columns, id_type: IdType) -> Loaded:
    """Turn tables as they were read into interactions and a catalog with ids of one kind.

    Args:
        interactions: one row per interaction.
        items: one row per item, if there are any.
        columns: their names; ``user``, ``item`` and ``item_id`` must be given.
        id_type: how ids are read.
    """
    assert columns.user
    assert columns.item
    assert columns.item_id
    user_ids = interactions.column(columns.user, "data.columns.user")
    sources = [(interactions, interactions.column(columns.item, "data.columns.item"))]
    if items is not None:
        sources.append((items, items.column(columns.item_id, "data.columns.item_id")))
    item_ids, _ = read_ids(sources, id_type, "item")
    (users,), _ = read_ids([(interactions, user_ids)], id_type, "user")
    frame = pl.DataFrame({"user_id": users, "item_id": item_ids[0]})
    if (time := _named(interactions, columns.time, _TIMES, "data.columns.time")) is not None:
        frame = frame.with_columns(read_times(interactions, time, "data.columns.time").alias("time"))
    if (rating := _named(interactions, columns.rating, _RATINGS, "data.columns.rating")) is not None:
        frame = frame.with_columns(read_numbers(interactions, rating, "data.columns.rating").alias("rating"))
    if items is None:
        return Loaded(Interactions(frame), None)
    catalog, notes = catalog_of(items, item_ids[1], columns)
    return Loaded(Interactions(frame), catalog, tuple(notes))


def _named(table: Table, name: str | None, usual: tuple[str, ...], option: str) -> pl.Series | None:
    """Return the column that was asked for, otherwise the first with a usual name, otherwise None."""
    if name is not None:
        return table.column(name, option)
    return next((table.frame[column] for column in usual if column in table.columns), None)


def catalog_of(items: Table, item_ids: pl.Series, columns: Columns) -> tuple[Catalog, list[Note]]:
    """Turn a table of items into a catalog, their ids having been read; ``columns.item_id`` must be given."""
    notes = looks_wrongly_decoded(items.frame, items.path)
    title = _named(items, columns.title, _TITLES, "data.columns.title")
    if isinstance(columns.text, list):
        text: pl.Series | None = _joined(items, columns.text)
    else:
        text = _named(items, columns.text, _TEXTS, "data.columns.text")
    given = {"item_id": item_ids, "title": title, "text": text}
    taken = {columns.item_id} | {
        series.name for series in (title, text) if series is not None and series.name
    }
    others = [name for name in items.columns if name not in taken]
    if hidden := [name for name in others if name in RESERVED[:3]]:
        sentence = f"{count_of(len(hidden), 'column')} of {items.path.name} replaced by those that data.columns names"
        notes.append(Note.of("columns_replaced", len(hidden), sentence, hidden, warning=True))
    rest = items.frame.select(name for name in others if name not in hidden)
    rest = rest if items.typed else typed_columns(rest)
    named = [series.alias(name) for name, series in given.items() if series is not None]
    return Catalog.of(pl.DataFrame(named).hstack(rest.get_columns())), notes


def _joined(items: Table, names: list[str]) -> pl.Series:
    parts = [
        items.column(name, "data.columns.text").cast(pl.String).alias(str(i)) for i, name in enumerate(names)
    ]
    frame = pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True).alias(""))
    text = frame.to_series()
    return text.set(text == "", None)
