"""Tables from files of any of the usual formats, every malformed row an error that shows it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.config import TableFile
from irisrec.data.sources.encoding import as_utf8, read_bytes
from irisrec.errors import DataError, closest, count_of, some

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".parquet", ".jsonl", ".ndjson")
_STAND_IN = "\x1f"  # the unit separator of ASCII, put in place of separators of more than one character


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        frame: its columns; every one a string where the format knows no types.
        path: where it came from.
        typed: whether the format has types of its own (Parquet, JSON lines).
        option: the option that names this file in a config, for messages.
    """

    frame: pl.DataFrame
    path: Path
    typed: bool
    option: str

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self.frame.columns

    def column(self, name: str, option: str) -> pl.Series:
        """Return a column; one that is not there is an error with a suggestion."""
        if name in self.columns:
            return self.frame[name]
        hint = ""
        if len(self.columns) == 1 and (found := [s for s in (";", "\t", ",", "|") if s in self.columns[0]]):
            hint = f' (is the file separated by {found[0]!r}? then say {self.option} = {{ path = "{self.path.name}"'
            hint += f', separator = "{found[0]}" }})'.replace("\t", "\\t")
        raise DataError(
            f"{self.path} has no column {name!r}{closest(name, self.columns)}; its columns are "
            f"{', '.join(self.columns)}; set {option}{hint}"
        )


def find_file(root: Path, path: str, option: str) -> Path:
    """Return the path of an existing file of a data folder."""
    root = root.expanduser()
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; say where the data lie with --set data.root=FOLDER")
    found = root / Path(path).expanduser()
    if not found.is_file():
        beside = sorted(entry.name for entry in found.parent.glob("*")) if found.parent.is_dir() else []
        content = (
            f"the folder has {', '.join(beside[:8])}{', …' * (len(beside) > 8)}" if beside else "it is empty"
        )
        where = f"{found.parent}" if found.parent.is_dir() else f"{root} (no folder {Path(path).parent})"
        raise DataError(
            f"there is no file {found.name!r} in {where}{closest(found.name, beside)}; {content}; set {option}"
        )
    return found


def read_table(root: Path, file: TableFile, option: str) -> Table:
    """Read a table by the suffix of its name.

    Text formats give strings; an empty field is null. Rows with too few or too many fields are an error.
    """
    path = find_file(root, file.path, option)
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix == ".parquet":
        frame, typed = _read_parquet(path), True
    elif suffix in (".jsonl", ".ndjson"):
        frame, typed = _read_json_lines(path, as_utf8(read_bytes(path), file.encoding, path, option)), True
    elif suffix in SUFFIXES or file.separator:
        frame, typed = _read_separated(path, file, suffix, option), False
    else:
        raise DataError(
            f"{path} has the suffix {suffix!r}, known are {', '.join(SUFFIXES)}; for a text file of another name "
            f'say {option} = {{ path = "{path.name}", separator = "…" }}'
        )
    if not len(frame):
        raise DataError(f"{path} is empty: at least one row is needed")
    return Table(frame, path, typed, option)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {_first_line(error)}") from None


def _read_json_lines(path: Path, data: bytes) -> pl.DataFrame:
    if not data.strip():
        raise DataError(f"{path} is empty: at least one row is needed")
    try:
        return pl.read_ndjson(data, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        for number, line in enumerate(data.splitlines(), start=1):
            try:
                fine = not line.strip() or isinstance(json.loads(line), dict)
            except ValueError:
                fine = False
            if not fine:
                raise DataError(
                    f"{path}: line {number:,} is not a JSON object: {_excerpt(line.decode())}"
                ) from None
        raise DataError(f"{path} is not readable as JSON lines: {_first_line(error)}") from None


def _read_separated(path: Path, file: TableFile, suffix: str, option: str) -> pl.DataFrame:
    data = as_utf8(read_bytes(path), file.encoding, path, option)
    if not data.strip():
        raise DataError(f"{path} is empty: at least one row is needed")
    separator = file.separator or ("," if suffix == ".csv" else "\t")
    quote = file.quote
    if len(separator.encode()) > 1:
        if _STAND_IN.encode() in data:
            raise DataError(f"{path} contains the control character 0x1f, which a text table cannot")
        data, separator, quote = data.replace(separator.encode(), _STAND_IN.encode()), _STAND_IN, ""
    if file.header is True:
        first, _, _ = data.lstrip(b"\r\n").partition(b"\n")
        names = next(csv.reader([first.decode().rstrip("\r")], **_dialect(separator, quote)))
        names = [name.strip() for name in names]
    else:
        names = list(file.header)
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(f"{path} names a column more than once: {some(repeated)}")
    return _parse(path, data, names, separator, quote, skip=file.header is True)


def _dialect(separator: str, quote: str) -> dict[str, Any]:
    return {"delimiter": separator} | ({"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE})


def _parse(
    path: Path, data: bytes, names: Sequence[str], separator: str, quote: str, *, skip: bool
) -> pl.DataFrame:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    malformed: list[Any] = []

    def stop_at(row: Any) -> str:
        malformed.append(row)
        return "error"

    parse = arrow_csv.ParseOptions(
        delimiter=separator,
        quote_char=quote or False,
        newlines_in_values=bool(quote) and quote.encode() in data,
        invalid_row_handler=stop_at,
    )
    convert = arrow_csv.ConvertOptions(
        check_utf8=False,
        column_types=dict.fromkeys(names, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    # A row has to fit into one block, and texts can be long.
    block = 1 << 20 if len(data) > 1 << 26 and not parse.newlines_in_values else min(len(data) + 1, 1 << 30)
    for threads in (True, False):  # only a second reading by one thread knows the number of a malformed row
        read = arrow_csv.ReadOptions(
            use_threads=threads, block_size=block, column_names=list(names), skip_rows=int(skip)
        )
        try:
            table = arrow_csv.read_csv(pa.py_buffer(data), read, parse, convert)
        except pa.ArrowInvalid as error:
            failure = error
        else:
            frame = pl.DataFrame(pl.from_arrow(table))
            _check_end(path, data, frame, quote)
            return frame
    if malformed and malformed[-1].number is not None:
        row = malformed[-1]
        raise DataError(
            f"{path}: row {row.number:,} has {count_of(row.actual_columns, 'field')} where "
            f"{len(names)} are expected: {_excerpt(row.text.replace(_STAND_IN, '::'))}"
        ) from None
    raise DataError(f"{path} is not a readable table: {_first_line(failure)}") from None


def _check_end(path: Path, data: bytes, frame: pl.DataFrame, quote: str) -> None:
    """Refuse a quote that never ends: it swallows all rows after it."""
    last = frame[-1, -1] if len(frame) else None
    if quote and last and "\n" in last and not data.rstrip().endswith(quote.encode()):
        raise DataError(
            f"{path}: the quote before {_excerpt(last, 30)!r} never ends; if quotes mean nothing in this file, "
            f'say quote = "" in its table of options'
        )


def _first_line(error: Exception) -> str:
    return _excerpt(str(error).strip().partition("\n")[0], 160)


def _excerpt(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
