"""Structured columns of the catalog as a modality: categories, lists of categories, numbers, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from irisrec.data.catalog import Catalog
from irisrec.errors import ConfigError, FeatureError, closest, count_of
from irisrec.features.encoders.base import Arrays, CatalogEncoder, EncodedColumns, EncoderSettings
from irisrec.notes import Note

Kind = Literal["category", "number"]


class ColumnsSettings(EncoderSettings):
    """Options of the columns encoder.

    Attributes:
        columns: catalog columns to use.
        separators: for columns that hold several values in one string, what stands between them.
        numbers: columns of strings to read as numbers; columns of a number type are numbers anyway.
        categories: columns of numbers to read as categories, for example codes.
        min_count: a value that stands in fewer items has no place of its own.
        max_categories: places per column for its most frequent values.
        hashed: places per column that all other values share, by a hash of the value; one means a place for "other".
    """

    columns: list[str] = Field(min_length=1)
    separators: dict[str, str] = Field(default_factory=dict)
    numbers: list[str] = Field(default_factory=list)
    categories: list[str] = Field(default_factory=list)
    min_count: int = Field(default=2, ge=1)
    max_categories: int = Field(default=256, ge=1)
    hashed: int = Field(default=1, ge=0)


class Columns(CatalogEncoder):
    """One block of numbers per column, joined.

    A category is a one at its place; several values of one item share a length of one. A number is standardised by
    the fitted catalog's mean and deviation, beside an indicator of its being missing. A missing value is zeros. An
    item with no value in any column is not present.
    """

    name = "columns"
    input = "columns"
    fitted = True
    Settings = ColumnsSettings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fitted: dict[str, dict[str, Any]] = {}

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return sum(len(labels) for labels in self.labels().values())

    def labels(self) -> dict[str, list[str]]:
        """Return what each number stands for, by column."""
        named = {}
        for column, fit in self._fitted.items():
            if fit["kind"] == "number":
                named[column] = ["value", "missing"]
            else:
                named[column] = [*fit["values"], *(f"other {i}" for i in range(self.settings.hashed))]
        return named

    def fit(self, catalog: Catalog) -> None:
        """Learn the values of categories, and the mean and deviation of numbers."""
        self._check(catalog)
        for column in self.settings.columns:
            series = catalog.frame[column]
            if self._kind(series) == "number":
                self._fitted[column] = _fit_number(_numbers(series)[0])
            else:
                values = Counter(v for row in self._lists(series) for v in set(row))
                kept = sorted((-n, v) for v, n in values.items() if n >= self.settings.min_count)
                chosen = [value for _, value in kept[: self.settings.max_categories]]
                self._fitted[column] = {"kind": "category", "values": chosen}
        if not self.dim:
            raise FeatureError(
                f"columns: no value stands in at least {self.settings.min_count} items in "
                f"{', '.join(self.settings.columns)} (lower min_count, or set hashed)"
            )

    def encode_catalog(self, catalog: Catalog, modality: str) -> EncodedColumns:
        """Encode every item; new values of categories fall into the hashed places."""
        self._check(catalog)
        self.notes = []
        blocks, known = [], np.zeros(len(catalog), bool)
        for column, fit in self._fitted.items():
            series = catalog.frame[column]
            if fit["kind"] == "number":
                numbers, unread = _numbers(series)
                self._tell_unread(column, unread, catalog, modality)
                blocks.append(_number_block(numbers, fit))
                known |= np.isfinite(numbers)
            else:
                lists = self._lists(series)
                blocks.append(self._category_block(lists, fit["values"]))
                known |= np.array([bool(row) for row in lists], bool)
        values = np.concatenate(blocks, axis=1).astype(np.float32)
        values[~known] = 0.0
        reason = f"no value in {', '.join(self.settings.columns)}"
        return EncodedColumns(values, known, dict.fromkeys(np.flatnonzero(~known).tolist(), reason))

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return categories, means and deviations."""
        return {}, {"columns": self._fitted}

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Take back categories, means and deviations."""
        self._fitted = dict(values["columns"])

    def _check(self, catalog: Catalog) -> None:
        have = catalog.frame.columns
        asked = [*self.settings.columns]
        for column in asked:
            if column not in have:
                raise ConfigError(
                    f"columns names {column!r}{closest(column, have)}; the catalog has {', '.join(have)}"
                )
        for option in ("separators", "numbers", "categories"):
            for column in getattr(self.settings, option):
                if column not in asked:
                    raise ConfigError(
                        f"{option} names {column!r}{closest(column, asked)}; it is not in columns"
                    )

    def _kind(self, series: pl.Series) -> Kind:
        if series.name in self.settings.numbers:
            return "number"
        numeric = series.dtype.is_numeric() and series.name not in self.settings.categories
        return "number" if numeric else "category"

    def _lists(self, series: pl.Series) -> list[list[str]]:
        """Return the categories of each item as strings; none where the value is missing or blank."""
        separator = self.settings.separators.get(series.name)
        rows = []
        for value in series.to_list():
            several = (
                value if isinstance(value, list) else str(value).split(separator) if separator else [value]
            )
            rows.append(
                [str(v).strip() for v in several if v is not None and value is not None and str(v).strip()]
            )
        return rows

    def _category_block(self, lists: list[list[str]], values: list[str]) -> NDArray[np.float64]:
        place = {value: i for i, value in enumerate(values)}
        hashed = self.settings.hashed
        block = np.zeros((len(lists), len(values) + hashed))
        for row, found in enumerate(lists):
            for value in dict.fromkeys(found):
                if value in place:
                    block[row, place[value]] = 1.0
                elif hashed:
                    block[row, len(values) + crc32(value.encode()) % hashed] = 1.0
        length = np.linalg.norm(block, axis=1, keepdims=True)
        return np.asarray(block / np.where(length > 0, length, 1.0))

    def _tell_unread(self, column: str, rows: list[int], catalog: Catalog, modality: str) -> None:
        if rows:
            items = catalog.frame["item_id"].gather(rows[:3]).to_list()
            sentence = f"{modality}: {count_of(len(rows), 'value')} of column {column!r} not a number, taken as missing"
            self.notes.append(Note.of("column_not_number", len(rows), sentence, items, warning=True))


def _numbers(series: pl.Series) -> tuple[NDArray[np.float64], list[int]]:
    """Return a column as numbers, NaN where there is none, and the rows whose value could not be read as one."""
    text = series.dtype == pl.String
    cleaned = series.str.strip_chars() if text else series
    numbers = cleaned.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    given = series.is_not_null().to_numpy() & (
        cleaned.str.len_bytes().fill_null(0).to_numpy() > 0 if text else True
    )
    return numbers, np.flatnonzero(given & np.isnan(numbers)).tolist()


def _fit_number(numbers: NDArray[np.float64]) -> dict[str, Any]:
    seen = numbers[np.isfinite(numbers)]
    deviation = float(seen.std()) if len(seen) else 0.0
    return {
        "kind": "number",
        "mean": float(seen.mean()) if len(seen) else 0.0,
        "deviation": deviation or 1.0,
    }


def _number_block(numbers: NDArray[np.float64], fit: dict[str, Any]) -> NDArray[np.float64]:
    missing = ~np.isfinite(numbers)
    scaled = np.where(missing, 0.0, (np.nan_to_num(numbers) - fit["mean"]) / fit["deviation"])
    return np.stack([scaled, missing.astype(np.float64)], axis=1)
