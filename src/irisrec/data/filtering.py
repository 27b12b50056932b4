"""The filters at work: each returns what is left and a note on what went."""

from __future__ import annotations

import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.data.filters import Filters, Value
from irisrec.data.interactions import Interactions
from irisrec.errors import DataError, closest, count_of, some
from irisrec.notes import Note


def apply_filters(
    interactions: Interactions, catalog: Catalog | None, filters: Filters
) -> tuple[Interactions, Catalog | None, list[Note]]:
    """Filter by catalog, then by rating, collapse repeated pairs, then ask for the minimum of interactions."""
    said: list[Note] = []
    if filters.catalog:
        if catalog is None:
            raise DataError("data.filters.catalog needs a catalog, there is none; set data.items")
        catalog = _by_catalog(catalog, filters.catalog)
        rule = ", ".join(f"{column} = {value}" for column, value in filters.catalog.items())
        interactions, notes = interactions.only_items(
            catalog.frame["item_id"], f"not in the catalog with {rule}", "items_filtered"
        )
        said += notes
    if filters.min_rating is not None:
        interactions, notes = _by_rating(interactions, filters.min_rating)
        said += notes
    interactions, notes = interactions.collapsed()
    said += notes
    interactions, notes = interactions.with_minimum(
        filters.min_user_interactions, filters.min_item_interactions
    )
    return interactions, catalog, said + notes


def _by_catalog(catalog: Catalog, wanted: dict[str, Value | list[Value]]) -> Catalog:
    frame = catalog.frame
    for column, values in wanted.items():
        if column not in frame.columns:
            raise DataError(
                f"data.filters.catalog names column {column!r}{closest(column, frame.columns)}; "
                f"the catalog has {', '.join(frame.columns)}"
            )
        listed = values if isinstance(values, list) else [values]
        kept = frame.filter(_is_one_of(frame[column], listed))
        if not len(kept):
            seen = frame[column].drop_nulls().unique(maintain_order=True)
            raise DataError(
                f"no item of the catalog has {column} = {some(listed)}, values there are such as {some(seen)}; "
                "set data.filters.catalog"
            )
        frame = kept
    return Catalog(frame)


def _is_one_of(column: pl.Series, values: list[Value]) -> pl.Series:
    """Compare value by value, since a column of another kind than a value has no such value."""
    marks = pl.Series([False]).new_from_index(0, len(column))
    for value in values:
        text = isinstance(value, str)
        if text == (column.dtype == pl.String) and not column.dtype.is_nested():
            marks |= (column == value).fill_null(False)
    return marks


def _by_rating(interactions: Interactions, least: float) -> tuple[Interactions, list[Note]]:
    frame = interactions.frame
    if "rating" not in frame.columns:
        raise DataError("data.filters.min_rating needs ratings, there are none; set data.columns.rating")
    kept = frame.filter(pl.col("rating").is_null() | (pl.col("rating") >= least))
    removed = len(frame) - len(kept)
    if not len(kept):
        highest = str(frame["rating"].max())
        raise DataError(
            f"no interaction has a rating of at least {least:g}, the highest is {highest}; "
            "lower data.filters.min_rating"
        )
    notes = []
    if removed:
        sentence = f"{count_of(removed, 'interaction')} with a rating below {least:g} left out"
        notes.append(Note.of("below_min_rating", removed, sentence))
    if nulls := kept["rating"].null_count():
        sentence = f"{count_of(nulls, 'interaction')} without a rating kept"
        notes.append(Note.of("without_rating", nulls, sentence))
    return Interactions(kept), notes
