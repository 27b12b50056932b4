"""Columns of text become ids, numbers and times; what does not fit is named with its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from irisrec.data.config import IdType
from irisrec.data.sources.reading import Table
from irisrec.errors import DataError, count_of, some

_NO_NUMBER = ["", "NA", "NaN", "nan", "null", "NULL", "None", "\\N"]


def read_ids(
    columns: Sequence[tuple[Table, pl.Series]], id_type: IdType, noun: str
) -> tuple[list[pl.Series], Literal["string", "integer"]]:
    """Read the id columns of all tables that speak of the same users or items, as one kind.

    Text files know no types: there, ids are integers if every one in every table is a plain integer (``7``, not
    ``07``), and blanks around an id do not count. Tables with types keep them.
    """
    cleaned = [_clean(table, ids, noun) for table, ids in columns]
    kind = id_type if id_type != "auto" else _kind(columns, cleaned, noun)
    if kind == "string":
        return [ids.cast(pl.String) for ids in cleaned], kind
    return [_integers(table, ids, noun) for (table, _), ids in zip(columns, cleaned, strict=True)], kind


def _clean(table: Table, ids: pl.Series, noun: str) -> pl.Series:
    if not table.typed:
        ids = ids.str.strip_chars()
        ids = ids.set(ids == "", None)
    if ids.dtype.is_float():
        whole = ids.cast(pl.Int64, strict=False)
        if (whole.is_null() & ids.is_not_null()).any() or (whole.cast(ids.dtype) != ids).any():
            raise DataError(
                f"{table.path}: {noun} ids must be strings or integers, got fractions in {ids.name!r}"
            )
        ids = whole
    if not (ids.dtype == pl.String or ids.dtype.is_integer()):
        raise DataError(
            f"{table.path}: {noun} ids must be strings or integers, column {ids.name!r} has {ids.dtype}"
        )
    if nulls := ids.null_count():
        raise DataError(
            f"{table.path}: {noun} ids must not be null, {count_of(nulls, 'row')} of {len(ids):,} have none in "
            f"column {ids.name!r} ({_rows(ids.is_null())})"
        )
    return ids


def _kind(
    columns: Sequence[tuple[Table, pl.Series]], cleaned: Sequence[pl.Series], noun: str
) -> Literal["string", "integer"]:
    plain = [ids.dtype.is_integer() or _plain_integers(ids).all() for ids in cleaned]
    declared = [
        None if not table.typed else ids.dtype.is_integer()
        for (table, _), ids in zip(columns, cleaned, strict=True)
    ]
    if True not in declared:
        return "integer" if all(plain) and False not in declared else "string"
    for (table, _), ids, is_plain, is_integer in zip(columns, cleaned, plain, declared, strict=True):
        if is_integer is False or not is_plain:
            other = columns[declared.index(True)][0]
            odd = ids if is_integer is False else ids.filter(~_plain_integers(ids))
            raise DataError(
                f"{noun} ids must be of one kind, {other.path.name} has integers and {table.path.name} has strings "
                f"such as {some(odd.head(2))}; set data.id_type to 'string' or 'integer'"
            )
    return "integer"


def _plain_integers(ids: pl.Series) -> pl.Series:
    return ids.cast(pl.Int64, strict=False).cast(pl.String).eq_missing(ids)


def _integers(table: Table, ids: pl.Series, noun: str) -> pl.Series:
    numbers = ids.cast(pl.Int64, strict=False)
    if (bad := numbers.is_null()).any():
        others = ids.filter(bad).unique(maintain_order=True).head(4)
        raise DataError(
            f"{table.path}: {noun} ids must be integers with data.id_type = 'integer', "
            f"{count_of(int(bad.sum()), 'row')} of {len(ids):,} have others: {some(others)}"
        )
    return numbers


def read_numbers(table: Table, values: pl.Series, option: str) -> pl.Series:
    """Read a column of numbers: integers if all are, floats otherwise; null where there is none."""
    if values.dtype.is_numeric():
        return values.fill_nan(None) if values.dtype.is_float() else values
    if values.dtype == pl.String:
        text = _blank_to_null(values)
        for dtype in (pl.Int64, pl.Float64):
            numbers = text.cast(dtype, strict=False)
            bad = numbers.is_null() & text.is_not_null()
            if not bad.any():
                return numbers.fill_nan(None) if dtype == pl.Float64 else numbers
        raise DataError(_unreadable(table, values, bad, "a number", option))
    raise DataError(
        f"{table.path}: column {values.name!r} must hold numbers, it has {values.dtype}; see {option}"
    )


def read_times(table: Table, values: pl.Series, option: str) -> pl.Series:
    """Read a column of times: numbers, dates or dates with times (ISO 8601 in text); null where there is none."""
    if values.dtype.is_temporal():
        return values
    if values.dtype != pl.String:
        return read_numbers(table, values, option)
    text = _blank_to_null(values)
    fewest: pl.Series | None = None
    for parsed in (
        text.cast(pl.Int64, strict=False),
        text.cast(pl.Float64, strict=False),
        text.str.to_date("%Y-%m-%d", strict=False),
        text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False),
        text.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False),
        text.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M", strict=False),
    ):
        bad = parsed.is_null() & text.is_not_null()
        if not bad.any():
            return parsed
        fewest = bad if fewest is None or bad.sum() < fewest.sum() else fewest
    assert fewest is not None
    raise DataError(_unreadable(table, values, fewest, "a number or a date such as 2024-01-31", option))


def typed_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the columns of text that hold only plain integers, or only numbers, their type; others stay as they are."""
    return frame.with_columns(_typed(frame[name]) for name in frame.columns if frame[name].dtype == pl.String)


def _typed(values: pl.Series) -> pl.Series:
    if values.null_count() == len(values):
        return values
    integers = values.cast(pl.Int64, strict=False)
    if integers.cast(pl.String).eq_missing(values).all():
        return integers
    if values.str.contains(r"^-?(0|[1-9]\d*)\.\d+$").fill_null(True).all():
        return values.cast(pl.Float64)
    return values


def _blank_to_null(values: pl.Series) -> pl.Series:
    text = values.str.strip_chars()
    return text.set(text.is_in(_NO_NUMBER), None)


def _unreadable(table: Table, values: pl.Series, bad: pl.Series, what: str, option: str) -> str:
    return (
        f"{table.path}: column {values.name!r} must hold {what} in each row, {count_of(int(bad.sum()), 'row')} of "
        f"{len(values):,} {'does' if bad.sum() == 1 else 'do'} not: {some(values.filter(bad).head(4))} "
        f"({_rows(bad)}); see {option}"
    )


def _rows(bad: pl.Series) -> str:
    first = [row + 1 for row in bad.arg_true().head(3).to_list()]
    return f"first in data row{'s' * (len(first) > 1)} {', '.join(f'{row:,}' for row in first)}"
