"""Source "movielens": the folders that GroupLens publishes, and the same completed by plots and posters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import polars as pl

from irisrec.data.config import Columns, DataConfig, TableFile
from irisrec.data.sources.encoding import read_bytes
from irisrec.data.sources.reading import Table, find_file, read_table
from irisrec.data.sources.tables import Loaded, assemble
from irisrec.errors import DataError
from irisrec.notes import Note

USUAL = Columns(user="userId", item="movieId", item_id="movieId", title="title")
INTERACTIONS = ("ratings.dat", "ratings.csv", "interactions.parquet")
MOVIES = ("movies.dat", "movies.csv")
_DAT = {
    "ratings.dat": ["userId", "movieId", "rating", "timestamp"],
    "movies.dat": ["movieId", "title", "genres"],
}


def load_movielens(config: DataConfig) -> Loaded:
    """Read a MovieLens folder: the 1M ``::`` files, latest-style CSV, or either completed by ``plots.csv``.

    The catalog has one row per movie of the movies file and of the plots; where both give a column, the plots win.
    ``plot`` becomes the text, and the year is read from titles such as "Toy Story (1995)" where no column has it.
    """
    root = config.root.expanduser()
    interactions = _read(root, config.interactions or _found(root, INTERACTIONS), "data.interactions")
    movies_file = config.items or _found(root, MOVIES, needed=False)
    plots_file = config.plots or _found(root, ("plots.csv",), needed=False)
    tables = [
        _read(root, file, option)
        for file, option in ((plots_file, "data.plots"), (movies_file, "data.items"))
        if file is not None
    ]
    if (root / "links.csv").is_file():
        tables.append(read_table(root, TableFile(path="links.csv"), "data.items"))
    items = _with_year(_merged(tables)) if tables else None
    columns = config.columns.over(USUAL)
    if columns.text is None and items is not None and "plot" in items.columns:
        columns = Columns(text="plot").over(columns)
    loaded = assemble(interactions, items, columns, config.id_type)
    names = ", ".join(table.path.name for table in (interactions, *tables))
    note = Note.of("movielens_files", 1 + len(tables), f"read as MovieLens: {names}")
    return replace(loaded, notes=(note, *loaded.notes))


def _found(root: Path, names: tuple[str, ...], *, needed: bool = True) -> TableFile | None:
    for name in names:
        if (root / name).is_file():
            return TableFile(path=name)
    if needed and root.is_dir():
        raise DataError(
            f"{root} is not a MovieLens folder: it has none of {', '.join(names)}; set data.interactions or data.root"
        )
    return TableFile(path=names[0]) if needed else None


def _read(root: Path, file: TableFile | None, option: str) -> Table:
    assert file is not None
    if file.path.endswith(".dat") and file.separator is None:
        file = _dat_format(root, file, option)
    return read_table(root, file, option)


def _dat_format(root: Path, file: TableFile, option: str) -> TableFile:
    """Complete the format of a ``::`` file: latin-1 as published, UTF-8 where someone has converted it."""
    path = find_file(root, file.path, option)
    encoding = file.encoding
    if encoding is None:
        try:
            read_bytes(path).decode()
        except UnicodeDecodeError:
            encoding = "latin-1"
    kind = "movies.dat" if option == "data.items" else "ratings.dat"
    header = _DAT[kind] if file.header is True else file.header
    return file.model_copy(update={"separator": "::", "encoding": encoding, "header": header, "quote": ""})


def _merged(tables: list[Table]) -> Table:
    """Join tables by movieId; of a column that several have, the first table's values win where not null."""
    first = tables[0]
    frame = _by_movie(first)
    for table in tables[1:]:
        other = _by_movie(table)
        how: Literal["left", "full"] = "left" if table.path.name == "links.csv" else "full"
        frame = frame.join(other, on="movieId", how=how, coalesce=True, maintain_order="left_right")
        shared = [name for name in other.columns if f"{name}_right" in frame.columns]
        frame = frame.with_columns(pl.coalesce(name, f"{name}_right").alias(name) for name in shared)
        frame = frame.drop(f"{name}_right" for name in shared)
    return replace(first, frame=frame)


def _by_movie(table: Table) -> pl.DataFrame:
    table.column("movieId", "data.items")
    frame = table.frame
    return frame.with_columns(pl.all().cast(pl.String)) if table.typed else frame


def _with_year(items: Table) -> Table:
    if "year" in items.columns or "title" not in items.columns:
        return items
    return replace(
        items, frame=items.frame.with_columns(pl.col("title").str.extract(r"\((\d{4})\)\s*$").alias("year"))
    )
