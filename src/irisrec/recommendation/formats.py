"""The formats that recommendations are written in: Parquet, JSON lines, CSV; by parts, and the parts as one file."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from irisrec.errors import DataError

_ROWS_PER_GROUP = 1 << 17  # of a Parquet file, so that one is held in memory at a time


class Format(ABC):
    """How tables are written.

    Attributes:
        nested: whether a column may hold lists.
    """

    nested: ClassVar[bool] = True

    @abstractmethod
    def write(self, table: pa.Table, path: Path) -> None:
        """Write one part."""

    @abstractmethod
    def join(self, parts: Sequence[Path], path: Path) -> None:
        """Write all parts into one file, holding a bounded number of rows at a time."""


class _Parquet(Format):
    def write(self, table: pa.Table, path: Path) -> None:
        pq.write_table(table, path)

    def join(self, parts: Sequence[Path], path: Path) -> None:
        held: list[pa.Table] = []
        with pq.ParquetWriter(path, pq.read_schema(parts[0])) as file:
            for part in parts:
                held.append(pq.read_table(part))
                if sum(map(len, held)) >= _ROWS_PER_GROUP:
                    file.write_table(pa.concat_tables(held))
                    held = []
            if held:
                file.write_table(pa.concat_tables(held))


class _Lines(Format):
    def write(self, table: pa.Table, path: Path) -> None:
        _frame(table).write_ndjson(path)

    def join(self, parts: Sequence[Path], path: Path) -> None:
        with path.open("wb") as file:
            for part in parts:
                with part.open("rb") as lines:
                    shutil.copyfileobj(lines, file)


class _Csv(_Lines):
    nested = False

    def write(self, table: pa.Table, path: Path) -> None:
        # every part brings the header, for any of them may be the first to have rows
        _frame(table).write_csv(path)

    def join(self, parts: Sequence[Path], path: Path) -> None:
        with path.open("wb") as file:
            for number, part in enumerate(parts):
                with part.open("rb") as lines:
                    header = lines.readline()
                    if not number:
                        file.write(header)
                    shutil.copyfileobj(lines, file)


_FORMATS: dict[str, Format] = {
    ".parquet": _Parquet(),
    ".jsonl": _Lines(),
    ".ndjson": _Lines(),
    ".csv": _Csv(),
}


def format_of(path: Path) -> Format:
    """Return the format that the suffix of a path names."""
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise DataError(
            f"recommendations are written as {', '.join(_FORMATS)}, got {path.name!r}; rename --out"
        )
    return found


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
