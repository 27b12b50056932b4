"""History: what somebody had, with how much each thing counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.errors import DataError, count_of, some
from irisrec.ids import Id

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class History:
    """What somebody had; a plain list of item ids does where neither weights nor times are known.

    Attributes:
        items: their ids, in any order, each once.
        weights: how many times each counts, above 0; one of 2 counts as two copies of the item would, in the model's
            sums and in the length of the history.
        times: when each was had, as numbers, dates, datetimes or ISO 8601 texts, None where that is not known; read
            with a half-life alone, see `recency`.
    """

    items: Sequence[Id]
    weights: Sequence[float] | None = None
    times: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("weights", "times"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.items):
                raise DataError(
                    f"a history needs one of its {name} per item, got {count_of(len(self.items), 'item')} and "
                    f"{len(values):,} {name}"
                )
        if len(set(self.items)) < len(self.items):
            twice = [item for item in dict.fromkeys(self.items) if list(self.items).count(item) > 1]
            raise DataError(
                f"an item may stand once in a history with weights or times, more than once: {some(twice)}; "
                "add up its weights, and give its last time"
            )
        if self.weights is not None:
            wrong = [weight for weight in self.weights if not (np.isfinite(weight) and weight > 0)]
            if wrong:
                raise DataError(f"weights of a history must be above 0 and finite, got {some(wrong)}")


def recency(times: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    """Return how much each item of a history counts by its age: ``2^(-age / half_life)``, scaled to a mean of 1.

    Only the times between the items matter: a history of one day counts as one without times, whatever the day. An
    item of unknown time (NaN) counts 1.

    Args:
        times: (L,), in the unit of the half-life.
        half_life: age at which an item counts half of a new one.

    >>> recency(np.array([0.0, 10.0, np.nan]), half_life=10.0).round(3).tolist()
    [0.667, 1.333, 1.0]
    """
    if not half_life > 0:
        raise DataError(f"the half-life must be above 0, got {half_life:g}")
    weights = np.ones(len(times))
    known = np.isfinite(times)
    if known.any():
        shares = np.exp2((times[known] - times[known].max()) / half_life)
        weights[known] = shares / shares.mean()
    return weights


def as_numbers(times: Sequence[Any] | pl.Series) -> NDArray[np.float64]:
    """Return times as numbers, NaN where one is not known; dates, datetimes and ISO 8601 texts are given in days."""
    series = times if isinstance(times, pl.Series) else _series(times)
    if series.dtype == pl.String:
        series = pl.Series([None if text is None else _days(text) for text in series], dtype=pl.Float64)
    elif series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime):
        series = series.cast(pl.Datetime("us")).to_physical().cast(pl.Float64) / _DAY
    elif not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise DataError(f"times must be numbers, dates or datetimes, got {some(series)}")
    numbers: NDArray[np.float64] = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return numbers


def _series(times: Sequence[Any]) -> pl.Series:
    known = [time for time in times if time is not None]
    if {type(time) for time in known} == {int, float}:
        times = [None if time is None else float(time) for time in times]
    try:
        return pl.Series(list(times), strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        raise DataError(f"times must be all numbers, all dates or all datetimes, got {some(known)}") from None


def _days(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"a time must be a number or a date such as 2024-01-31, got {text!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6 / _DAY
