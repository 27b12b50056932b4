"""Large files of one object per line, read in blocks: memory holds a block and the fields that are asked for."""

from __future__ import annotations

import ast
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars._typing import PolarsDataType

from irisrec.errors import DataError, count_of
from irisrec.notes import Note

BLOCK = 16_000_000
LONGEST_LINE = 16_000_000
RELATED = re.compile(rb"'(also_bought|also_viewed|bought_together|buy_after_viewing)': \[[^\[\]]*\]")
"""Long lists of other products, which nobody reads here and which make parsing four times as slow."""


class BadLines:
    """Lines that could not be read: counted, three of them kept."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.good = path, 0, 0
        self.examples: list[str] = []

    def add(self, line: bytes) -> None:
        """Count a line."""
        self.count += 1
        if len(self.examples) < 3:
            self.examples.append(line[:60].decode("utf-8", errors="replace"))

    def notes(self) -> list[Note]:
        """Say how many there were; a file without any good line is an error."""
        if not self.count:
            return []
        if not self.good:
            raise DataError(f"{self.path} has no line that can be read, the first is {self.examples[0]!r}")
        sentence = f"{count_of(self.count, 'line')} of {self.path.name} that cannot be read left out"
        return [Note.of("unreadable_lines", self.count, sentence, self.examples, warning=True)]


def blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """Give a file, unpacked where its name ends in .gz, in blocks of whole lines."""
    rest = b""
    try:
        with _opened(path) as file:
            while piece := file.read(size):
                head, found, tail = piece.rpartition(b"\n")
                if not found:
                    rest += piece
                    if len(rest) > LONGEST_LINE + size:
                        raise DataError(f"{path} has a line of more than {LONGEST_LINE:,} bytes")
                    continue
                yield rest + head + b"\n"
                rest = tail
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path} is not a whole gzip file ({error}); fetch it again") from None
    if rest.strip():
        yield rest + b"\n"


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def read_fields(
    path: Path, schema: Mapping[str, PolarsDataType], needed: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Note]]:
    """Read some fields of JSON lines; lines that are broken or lack a needed field are left out and counted."""
    bad, frames = BadLines(path), []
    for block in blocks(path):
        try:
            frame = pl.read_ndjson(io.BytesIO(block), schema=dict(schema))
        except pl.exceptions.PolarsError:
            frame = _line_by_line(block, schema, bad)
        lacks = pl.any_horizontal(pl.col(name).is_null() | (pl.col(name) == "") for name in needed)
        for row in frame.filter(lacks).iter_rows():
            bad.add(repr(row).encode())
        frames.append(frame.filter(~lacks))
        bad.good += len(frames[-1])
    if not frames:
        raise DataError(f"{path} is empty: at least one line is needed")
    return pl.concat(frames), bad.notes()


def _line_by_line(block: bytes, schema: Mapping[str, PolarsDataType], bad: BadLines) -> pl.DataFrame:
    rows = []
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            rows.append([record.get(name) for name in schema])
        except (ValueError, AttributeError, RecursionError):
            bad.add(line)
    return pl.DataFrame(rows, dict(schema), orient="row", strict=False)


def records(
    path: Path, id_of: Callable[[bytes], str | None], wanted: set[str] | None, bad: BadLines
) -> Iterator[dict[str, Any]]:
    """Give the records of the wanted items, from JSON lines or from lines that are Python literals.

    The id is found before the line is parsed, so that a large file costs little beyond the wanted items.
    """
    for block in blocks(path):
        for line in block.splitlines():
            if not line.strip():
                continue
            id = id_of(line)
            if id is not None and wanted is not None and id not in wanted:
                bad.good += 1
                continue
            record = parse(line)
            if record is None:
                bad.add(line)
            else:
                bad.good += 1
                yield record


def parse(line: bytes) -> dict[str, Any] | None:
    """Read one line as JSON, otherwise as a Python literal, as the 2014 metadata are written; None if neither.

    >>> parse(b"{'asin': 'B001', 'price': 3.17}")
    {'asin': 'B001', 'price': 3.17}
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        try:
            record = ast.literal_eval(RELATED.sub(rb"'\1': []", line).decode("utf-8"))
        except (ValueError, SyntaxError, MemoryError, RecursionError, UnicodeDecodeError):
            return None
    return record if isinstance(record, dict) else None
