"""Where the picture of each item lies, and how many are missing."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError, closest, count_of
from irisrec.notes import Note


def with_pictures(catalog: Catalog, pictures: str, root: Path) -> tuple[Catalog, list[Note]]:
    """Fill the picture column with the paths of existing files.

    Args:
        catalog: of the items that are kept.
        pictures: a path with catalog columns in braces, or the name of a column that holds paths.
        root: the folder that relative paths start from.

    Raises:
        DataError: a column that the catalog lacks, or not a single file where the paths lead.
    """
    paths = _paths(catalog.frame, pictures)
    root = root.expanduser()
    found = [path if path is not None and (root / path).is_file() else None for path in paths]
    missing = [i for i, path in enumerate(found) if path is None]
    if len(missing) == len(catalog):
        example = next((str(root / path) for path in paths if path is not None), "none is named")
        raise DataError(
            f"none of the {len(catalog):,} items has a picture file (for example {example}); set data.pictures"
        )
    full = [str(root / path) if path is not None else None for path in found]
    frame = catalog.frame.with_columns(pl.Series("picture", full, pl.String))
    if not missing:
        return Catalog(frame), []
    ids = catalog.frame["item_id"].gather(missing[:3]).to_list()
    sentence = f"{count_of(len(missing), 'item')} of {len(catalog):,} without a picture file: kept"
    return Catalog(frame), [Note.of("items_without_picture", len(missing), sentence, ids)]


def _paths(frame: pl.DataFrame, pictures: str) -> list[str | None]:
    if "{" not in pictures:
        _check(pictures, frame)
        return frame[pictures].cast(pl.String).to_list()
    try:
        fields = [field for _, field, _, _ in Formatter().parse(pictures) if field is not None]
    except ValueError as error:
        raise DataError(
            f"data.pictures = {pictures!r} is not a path with columns in braces: {error}"
        ) from None
    for field in fields:
        _check(field, frame)
    rows = frame.select(pl.col(field).cast(pl.String) for field in dict.fromkeys(fields)).iter_rows(
        named=True
    )
    return [None if None in row.values() else pictures.format_map(row) for row in rows]


def _check(column: str, frame: pl.DataFrame) -> None:
    if column not in frame.columns:
        raise DataError(
            f"data.pictures names the catalog column {column!r}{closest(column, frame.columns)}; "
            f"the catalog has {', '.join(frame.columns)}"
        )
