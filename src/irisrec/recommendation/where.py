"""Conditions on the columns of the catalog, such as ``genres=Comedy`` or ``year>=1990``."""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError, closest, some

SEPARATOR = "|"  # between the values of a text cell that holds several, as MovieLens writes genres
GRAMMAR = "COLUMN OP VALUE, where OP is one of = != ~ < <= > >="
_CONDITION = re.compile(r"\s*([^=!<>~]+?)\s*(<=|>=|!=|=|<|>|~)\s*(.*?)\s*")
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """What a column of an item has to be.

    ``=`` asks for one of several values, parted by commas (in double quotes where a value has one), ``!=`` for none of
    them, ``~`` for a text that contains one of them in letters of any case; ``<``, ``<=``, ``>`` and ``>=`` compare
    numbers where the value is a number, else texts, in which dates written year first have their order. A cell that
    is a list, or a text with ``|`` in it, holds several values: one that fits is enough. A cell without a value fits
    ``!=`` alone.
    """

    column: str
    op: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a condition.

        >>> Condition.parse("genres = Comedy,Drama")
        Condition(column='genres', op='=', values=('Comedy', 'Drama'))
        """
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise DataError(f"a condition is {GRAMMAR}, got {text!r}")
        column, op, written = found.groups()
        values = next(csv.reader([written], skipinitialspace=True), [])
        if not values or not all(values):
            raise DataError(f"a condition is {GRAMMAR}, got {text!r}, which names no value")
        if op in _ORDER and len(values) > 1:
            raise DataError(f"{op} compares with one value, got {text!r}")
        return cls(column, op, tuple(values))

    def __str__(self) -> str:
        return f"{self.column}{self.op}{','.join(self.values)}"

    def fits(self, catalog: Catalog) -> NDArray[np.bool_]:
        """Return (n_items,), which items fit; a condition that none fits is an error that says what there is."""
        owners, cells = cells_of(catalog, self.column)
        mask = np.zeros(len(catalog), bool)
        mask[owners[self._matches(cells)]] = True
        if self.op == "!=":
            mask = ~mask
        if not mask.any():
            seen = cells.unique(maintain_order=True)
            raise DataError(
                f"no item of the catalog has {self}; values of {self.column} are such as {some(seen)}"
            )
        return mask

    def _matches(self, cells: pl.Series) -> NDArray[np.bool_]:
        """Compare every single value; ``!=`` marks what it does not want."""
        compare = {"~": _contains, "=": _equals, "!=": _equals}.get(self.op) or partial(
            _ordered, _ORDER[self.op]
        )
        marks = np.zeros(len(cells), bool)
        for value in self.values:
            marks |= compare(cells, value).fill_null(False).to_numpy()
        return marks


def _equals(cells: pl.Series, value: str) -> pl.Series:
    number = _number(value)
    if cells.dtype.is_numeric():
        return cells == number if number is not None else pl.repeat(False, len(cells), eager=True)
    return cells.cast(pl.String) == (value.lower() if cells.dtype == pl.Boolean else value)


def _contains(cells: pl.Series, value: str) -> pl.Series:
    return cells.cast(pl.String).str.to_lowercase().str.contains(value.lower(), literal=True)


def _ordered(compare: Callable[[Any, Any], pl.Series], cells: pl.Series, value: str) -> pl.Series:
    number, texts = _number(value), cells.cast(pl.String)
    if number is None:
        return compare(texts, value)
    return compare(texts.cast(pl.Float64, strict=False), number)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def cells_of(catalog: Catalog, column: str) -> tuple[NDArray[np.int64], pl.Series]:
    """Return the single values of a column and the item row that each belongs to; missing and empty ones left out."""
    frame = catalog.frame
    if column not in frame.columns:
        raise DataError(
            f"the catalog has no column {column!r}{closest(column, frame.columns)}; it has {', '.join(frame.columns)}"
        )
    cells = frame[column]
    if cells.dtype == pl.String:
        cells = cells.str.split(SEPARATOR)
    long = pl.DataFrame({"row": np.arange(len(catalog)), "cell": cells})
    if isinstance(cells.dtype, pl.List):
        long = long.explode("cell")
    long = long.drop_nulls()
    if long["cell"].dtype == pl.String:
        long = long.with_columns(pl.col("cell").str.strip_chars()).filter(pl.col("cell") != "")
    return long["row"].to_numpy(), long["cell"]
