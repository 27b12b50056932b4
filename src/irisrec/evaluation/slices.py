"""For whom a run is good: metrics by history length, by popularity of the targets, and by what the targets lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from irisrec.evaluation.per_user import PRESENT
from irisrec.evaluation.significance import estimates

N_BINS = 4


def slices(
    frames: Mapping[str, pl.DataFrame], metrics: list[str] | None = None, *, seed: int = 0
) -> pl.DataFrame:
    """Compare runs within slices of their users.

    Returns:
        The columns of `significance.estimates` after ``variable`` (``history_length``, ``target_popularity``, or a
        modality) and ``slice``, its name. Uncorrected p values are left out: so many tests would find something.
    """
    parts = []
    for variable, name, users in slices_of(_with_all_modalities(frames)):
        chosen = {
            run: frame.filter(pl.col("user_id").is_in(users.implode())) for run, frame in frames.items()
        }
        table = estimates(chosen, metrics, n_resamples=500, seed=seed, tested=False).drop("p")
        parts.append(table.select(pl.lit(variable).alias("variable"), pl.lit(name).alias("slice"), pl.all()))
    return pl.concat(parts) if parts else pl.DataFrame()


def _with_all_modalities(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the first frame, and what others know of its targets: a run knows the modalities its model reads."""
    known, *others = (frame.unique("user_id", maintain_order=True) for frame in frames.values())
    for frame in others:
        new = [name for name in frame.columns if name.startswith(PRESENT) and name not in known.columns]
        known = known.join(frame.select("user_id", *new), on="user_id", how="left")
    return known


def slices_of(frame: pl.DataFrame) -> Iterator[tuple[str, str, pl.Series]]:
    """Yield (variable, name of the slice, user ids) for every slice that is not everybody."""
    users = frame.unique("user_id", maintain_order=True)
    for variable, name, chosen in _all_slices(users):
        if 0 < len(chosen) < len(users):
            yield variable, name, chosen


def _all_slices(users: pl.DataFrame) -> Iterator[tuple[str, str, pl.Series]]:
    for column, noun, what, cold in (
        ("history_length", "item", "in the history", "cold: no history"),
        ("target_popularity", "training interaction", "of the target", "cold: no training interaction"),
    ):
        is_cold = users[column] == 0
        yield column, cold, users.filter(is_cold)["user_id"]
        yield from _by_number(users.filter(~is_cold), column, noun, what)
    for column in users.columns:
        if column.startswith(PRESENT):
            yield from _by_presence(users, column)


def _by_number(
    users: pl.DataFrame, column: str, noun: str, what: str
) -> Iterator[tuple[str, str, pl.Series]]:
    """Cut into parts of about equal numbers of users; equal values stay together."""
    values = users[column].to_numpy()
    if not len(values):
        return
    edges = np.unique(np.quantile(values, np.arange(1, N_BINS) / N_BINS))
    bins = np.searchsorted(edges, values, side="left")
    for part in np.unique(bins):
        inside = bins == part
        low, high = values[inside].min(), values[inside].max()
        span = f"{low:.4g}" if low == high else f"{low:.4g}–{high:.4g}"
        name = f"{span} {noun if low == high == 1 else noun + 's'} {what}"
        yield column, name, users.filter(pl.Series(inside))["user_id"]


def _by_presence(users: pl.DataFrame, column: str) -> Iterator[tuple[str, str, pl.Series]]:
    modality = column.removeprefix(PRESENT)
    for has, word in ((True, "with"), (False, "without")):
        yield modality, f"target {word} {modality}", users.filter(pl.col(column) == has)["user_id"]
