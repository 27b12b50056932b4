"""Sources "amazon-2014" and "amazon-2023": the files of the McAuley Lab, as they were published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from irisrec.data.config import Columns, DataConfig, TableFile
from irisrec.data.interactions import Interactions
from irisrec.data.sources.amazon_editions import EDITION_2014, EDITION_2023, Edition
from irisrec.data.sources.jsonlines import BadLines, read_fields, records
from irisrec.data.sources.reading import Table, find_file
from irisrec.data.sources.tables import Loaded, assemble
from irisrec.errors import DataError, count_of
from irisrec.notes import Note

USUAL = Columns(
    user="user_id",
    item="item_id",
    item_id="item_id",
    time="time",
    rating="rating",
    title="title",
    text=["title", "description"],
)
ITEM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "title": pl.String,
    "description": pl.String,
    "brand": pl.String,
    "price": pl.Float64,
    "category": pl.String,
    "categories": pl.List(pl.String),
    "picture_url": pl.String,
}
PLACEHOLDER = re.compile(r"/no-img|/no_image|/x-locale/", re.IGNORECASE)
PICTURES = "pictures"
SUFFIXES = (".jpg", ".png", ".gif", ".webp", ".bmp", ".tif")


def load_amazon_2014(config: DataConfig) -> Loaded:
    """Read ``reviews_CATEGORY_5.json.gz`` and, where it is there, ``meta_CATEGORY.json.gz``.

    The metadata are read for the items that the interactions keep. Columns of the catalog: title, description, brand,
    price (US dollars), category (the most specific one), categories, picture_url. Pictures are looked for in the
    folder ``pictures``, where ``irisrec collect pictures`` puts them.
    """
    return _load(config, EDITION_2014)


def load_amazon_2023(config: DataConfig) -> Loaded:
    """Read ``CATEGORY.jsonl.gz`` and, where it is there, ``meta_CATEGORY.jsonl.gz``; items are parent ASINs.

    Otherwise like ``load_amazon_2014``; times are in milliseconds.
    """
    return _load(config, EDITION_2023)


def _load(config: DataConfig, edition: Edition) -> Loaded:
    root = config.root.expanduser()
    reviews = _found(root, config.interactions, edition.reviews, "data.interactions")
    metadata = _found(root, config.items, edition.metadata, "data.items", needed=config.items is not None)
    assert reviews is not None
    interactions, notes = read_reviews(reviews, edition)
    items = None
    if metadata is not None:
        frame, more = read_items(metadata, edition, _needed(interactions, config))
        items = Table(_with_pictures(frame, root), metadata, True, "data.items")
        notes += more
    table = Table(interactions, reviews, True, "data.interactions")
    loaded = assemble(table, items, config.columns.over(USUAL), "string")
    return replace(loaded, notes=(*notes, *loaded.notes))


def read_reviews(path: Path, edition: Edition) -> tuple[pl.DataFrame, list[Note]]:
    """Read user_id, item_id, rating and time of every review, in the order of the file."""
    schema = {
        edition.user: pl.String,
        edition.item: pl.String,
        edition.rating: pl.Float64,
        edition.time: pl.Int64,
    }
    frame, notes = read_fields(path, schema, (edition.user, edition.item))
    frame.columns = ["user_id", "item_id", "rating", "time"]
    return frame, notes


def read_items(path: Path, edition: Edition, wanted: Iterable[str] | None) -> tuple[pl.DataFrame, list[Note]]:
    """Read the catalog rows of the wanted items, all where ``wanted`` is None; of a repeated item the first row."""
    bad, rows = BadLines(path), {}
    wanted = set(wanted) if wanted is not None else None

    def id_of(line: bytes) -> str | None:
        match = edition.id_pattern.search(line)
        return match[1].decode() if match else None

    repeated = []
    for record in records(path, id_of, wanted, bad):
        row = edition.item_row(record)
        if row["item_id"] in rows:
            repeated.append(row["item_id"])
        elif row["item_id"] and (wanted is None or row["item_id"] in wanted):
            rows[row["item_id"]] = row
    notes = bad.notes()
    if repeated:
        sentence = f"{count_of(len(repeated), 'repeated item')} of {path.name} left out, the first row holds"
        notes.append(Note.of("repeated_items", len(repeated), sentence, repeated))
    if not rows:
        raise DataError(f"{path} describes none of the items in the reviews; are both of one category?")
    frame = pl.DataFrame(list(rows.values()), ITEM_SCHEMA)
    return _without_placeholders(frame, notes), notes


def _without_placeholders(frame: pl.DataFrame, notes: list[Note]) -> pl.DataFrame:
    is_none = frame["picture_url"].str.contains(f"(?i){PLACEHOLDER.pattern}").fill_null(False)
    if count := int(is_none.sum()):
        sentence = f"{count_of(count, 'item')} with the shop's picture for no picture: counted as without"
        notes.append(Note.of("placeholder_pictures", count, sentence, frame["item_id"].filter(is_none)))
    return frame.with_columns(pl.when(~is_none).then(pl.col("picture_url")).alias("picture_url"))


def _needed(interactions: pl.DataFrame, config: DataConfig) -> list[str] | None:
    """Items that can be left after the filters, which spares parsing the metadata of millions of others."""
    filters = config.filters
    if filters.unseen_items == "keep":
        return None
    kept = Interactions(interactions).collapsed()[0]
    kept = kept.with_minimum(filters.min_user_interactions, filters.min_item_interactions)[0]
    ids: list[str] = kept.frame["item_id"].unique().to_list()
    return ids


def _with_pictures(items: pl.DataFrame, root: Path) -> pl.DataFrame:
    """Add the pictures that were collected, as paths relative to the folder of the data."""
    folder = root / PICTURES
    names = (
        {path.stem: path.name for path in folder.iterdir() if path.suffix in SUFFIXES}
        if folder.is_dir()
        else {}
    )
    paths = [f"{PICTURES}/{names[id]}" if id in names else None for id in items["item_id"]]
    return items.with_columns(pl.Series("picture", paths, pl.String))


def _found(
    root: Path, given: TableFile | None, patterns: Sequence[str], option: str, *, needed: bool = True
) -> Path | None:
    if given is not None:
        return find_file(root, given.path, option)
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; say where the data lie with --set data.root=FOLDER")
    paths = sorted({path for pattern in patterns for path in root.glob(pattern)})
    paths = [path for path in paths if option == "data.items" or not path.name.startswith("meta_")]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths[:4])
        raise DataError(f"{root} has several files that could be read ({names}); choose one with {option}")
    if not paths and (needed or option == "data.interactions"):
        raise DataError(
            f"{root} has no file {' or '.join(patterns)}; fetch it with `irisrec download`, or set {option}"
        )
    return paths[0] if paths else None
