"""IdMap, the only place where an outside id meets a row number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.errors import DataError, count_of, some

Id = str | int


def id_column(values: pl.Series, what: str) -> pl.Series:
    """Check a column of ids, which may repeat, and widen integers to 64 bits.

    Raises:
        DataError: ids that are neither strings nor integers, or null.
    """
    if not (values.dtype == pl.String or values.dtype.is_integer()):
        raise DataError(f"{what} must be strings or integers, got {values.dtype}")
    if nulls := values.null_count():
        rows = values.is_null().arg_true().head(4).to_list()
        raise DataError(
            f"{what} must not be null, {nulls:,} of {count_of(len(values), 'row')} {'is' if nulls == 1 else 'are'} "
            f"(rows {some(rows)} counted from 0)"
        )
    return values.cast(pl.Int64) if values.dtype.is_integer() else values


class IdMap:
    """The ids of the users or the items, in order: row ``i`` of every table belongs to ``ids[i]``.

    Ids are the user's own, all strings or all integers; ``7`` and ``"7"`` are different ids.

    >>> items = IdMap(["tt03", "tt01"], "item")
    >>> items.index(["tt01", "tt03"])
    array([1, 0])
    >>> items.ids([0])
    ['tt03']
    """

    def __init__(self, ids: Sequence[Id] | pl.Series, noun: str = "item") -> None:
        series = pl.Series("id", ids, strict=False) if not isinstance(ids, pl.Series) else ids.alias("id")
        if not len(series):
            series = series.cast(pl.String)
        mixed = isinstance(ids, Sequence) and len({isinstance(i, str) for i in ids}) > 1
        if mixed or not (series.dtype.is_integer() or series.dtype == pl.String):
            raise DataError(f"{noun} ids must be all strings or all integers, got {series.dtype}")
        if series.null_count():
            raise DataError(f"{noun} ids must not be null, {series.null_count():,} of {len(series):,} are")
        self.noun = noun
        self._series = series.cast(pl.Int64) if series.dtype.is_integer() else series
        if (repeated := self._series.filter(self._series.is_duplicated()).unique()).len():
            raise DataError(
                f"{noun} ids must be distinct, {count_of(len(repeated), 'id')} stand more than once: "
                f"{some(repeated.sort().to_list())}"
            )

    def __len__(self) -> int:
        return len(self._series)

    def __contains__(self, id: object) -> bool:
        return id in self._rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdMap) and self._series.equals(other._series)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IdMap({len(self):,} {self.kind} {self.noun} ids)"

    @property
    def kind(self) -> Literal["integer", "string"]:
        """Whether the ids are integers or strings."""
        return "integer" if self._series.dtype == pl.Int64 else "string"

    @property
    def series(self) -> pl.Series:
        """The ids in order, as a Polars series."""
        return self._series

    @cached_property
    def _rows(self) -> dict[Id, int]:
        return {id: row for row, id in enumerate(self._series.to_list())}

    def lookup(self, ids: Iterable[Id] | pl.Series) -> NDArray[np.int64]:
        """Return the row of each id, -1 for an id that is not here."""
        series = ids if isinstance(ids, pl.Series) else None
        if series is None:
            rows = self._rows
            return np.fromiter((rows.get(id, -1) for id in ids), np.int64)
        if series.dtype.is_integer() != (self.kind == "integer"):
            return np.full(len(series), -1, np.int64)
        mine = pl.DataFrame({"id": self._series, "row": np.arange(len(self))})
        asked = pl.DataFrame({"id": series.cast(self._series.dtype)})
        joined = asked.join(mine, on="id", how="left", maintain_order="left")
        return joined["row"].fill_null(-1).to_numpy().astype(np.int64)

    def index(self, ids: Iterable[Id] | pl.Series) -> NDArray[np.int64]:
        """Return the row of each id; an unknown id is an error that names it."""
        ids = ids if isinstance(ids, pl.Series) else list(ids)
        rows = self.lookup(ids)
        if len(missing := np.flatnonzero(rows < 0)):
            unknown = [ids[int(i)] for i in missing[:4]]
            hint = ""
            if any(isinstance(id, str) != (self.kind == "string") for id in unknown):
                hint = f"; ids here are {self.kind}s"
            raise DataError(
                f"{len(missing):,} of {count_of(len(ids), self.noun + ' id')} "
                f"{'is' if len(missing) == 1 else 'are'} not among the {len(self):,} known: {some(unknown)}"
                f"{hint} (use `lookup` to find them first)"
            )
        return rows

    def ids(self, rows: Iterable[int] | NDArray[np.integer]) -> list[Id]:
        """Return the outside id of each row."""
        picked: list[Id] = self._series.gather(np.asarray(rows, dtype=np.int64)).to_list()
        return picked

    def parse(self, text: str) -> Id:
        """Turn text from a command line or URL into an id of this map's kind."""
        if self.kind == "string":
            return text
        try:
            return int(text)
        except ValueError:
            raise DataError(f"{self.noun} ids here are integers, got {text!r}") from None
