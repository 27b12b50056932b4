"""Whether one run is better than another, or was lucky with its users: intervals, tests, and their correction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from irisrec.errors import DataError, some
from irisrec.evaluation.bootstrap import LEVEL, N_RESAMPLES, Floats, bootstrap_means, interval
from irisrec.evaluation.per_user import metrics_of

MARKED = 0.05  # corrected p below which a difference is marked
_FEW = 13  # users up to which SciPy goes through all choices of signs where differences are tied, for seconds


def wilcoxon(differences: Floats) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; zeros keep their ranks (Pratt), none but zeros give 1."""
    from scipy import stats

    differences = differences[~np.isnan(differences)]
    if not differences.any():
        return 1.0
    if len(differences) <= _FEW:
        return _all_signs(differences)
    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue)


def _all_signs(differences: Floats) -> float:
    """Return the same p from every possible choice of signs, as SciPy does for few users, and quickly."""
    from scipy import stats

    ranks = stats.rankdata(np.abs(differences))[differences != 0]
    signs = np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks)) & 1  # (2^m, m), every choice once
    sums, ours = signs @ ranks, ranks[differences[differences != 0] > 0].sum()
    return float(min(1.0, 2 * min((sums >= ours).mean(), (sums <= ours).mean())))


def holm(p_values: Floats) -> Floats:
    """Correct p values of one family of tests (Holm 1979): the chance of any false alarm stays below the level.

    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected


def compare(
    frames: Mapping[str, pl.DataFrame],
    metrics: list[str] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """Compare runs over the same users; the first is the reference that the others are held against.

    Args:
        frames: {run: per-user frame}, of the same users under the same protocols.
        metrics: columns to compare; those that all frames have where not given.
        n_resamples: of the bootstrap.
        level: of the intervals.
        seed: of the bootstrap.

    Returns:
        One row per protocol, metric and run: ``protocol, metric, run, n_users, mean, low, high``, and for all but
        the reference ``difference, difference_low, difference_high`` (paired bootstrap), ``p`` (Wilcoxon's
        signed-rank test on the users' differences) and ``p_holm``, corrected over all tests of the table.
    """
    table = estimates(frames, metrics, n_resamples=n_resamples, level=level, seed=seed)
    corrected = table.select(pl.col("p").drop_nulls()).to_series().to_numpy()
    places = table["p"].is_not_null().arg_true()
    p_holm = np.full(len(table), np.nan)
    p_holm[places.to_numpy()] = holm(corrected)
    return table.with_columns(pl.Series("p_holm", p_holm).fill_nan(None))


def estimates(
    frames: Mapping[str, pl.DataFrame],
    metrics: list[str] | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    tested: bool = True,
) -> pl.DataFrame:
    """Return the table of `compare` without the correction; the column ``p`` is empty unless ``tested``."""
    first = next(iter(frames.values()))
    metrics = metrics or [m for m in metrics_of(first) if all(m in f.columns for f in frames.values())]
    rows: list[dict[str, object]] = []
    for protocol in first["protocol"].unique(maintain_order=True):
        parts = _paired(frames, protocol)
        values = np.stack([part.select(metrics).cast(pl.Float64).to_numpy() for part in parts])
        means = bootstrap_means(_flat(values), n_resamples, seed).reshape(n_resamples, len(parts), -1)
        for m, metric in enumerate(metrics):
            rows += [
                {"protocol": protocol, "metric": metric, "run": run}
                | _row(values[:, :, m], means[:, :, m], at, level, tested)
                for at, run in enumerate(frames)
            ]
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=dict.fromkeys(_NUMBERS, pl.Float64))


_NULLABLE = ("difference", "difference_low", "difference_high", "p")
_NUMBERS = ("mean", "low", "high", *_NULLABLE)


def _flat(values: Floats) -> Floats:
    """(runs, users, metrics) -> (users, runs * metrics)."""
    return values.transpose(1, 0, 2).reshape(values.shape[1], -1)


def _row(values: Floats, means: Floats, at: int, level: float, tested: bool) -> dict[str, object]:
    """Describe run ``at`` of (runs, users) values and (n_resamples, runs) means against run 0."""
    known = values[at][~np.isnan(values[at])]
    if not len(known):
        return {"n_users": 0} | dict.fromkeys(_NUMBERS)
    low, high = interval(means[:, at], level)
    row: dict[str, object] = {
        "n_users": len(known),
        "mean": float(known.mean()),
        "low": float(low),
        "high": float(high),
    }
    if at == 0:
        return row | dict.fromkeys(_NULLABLE)
    differences = values[at] - values[0]
    low, high = interval(means[:, at] - means[:, 0], level)
    difference = float(np.nanmean(differences))
    p = wilcoxon(differences) if tested else None
    return row | dict(zip(_NULLABLE, (difference, float(low), float(high), p), strict=True))


def _paired(frames: Mapping[str, pl.DataFrame], protocol: str) -> list[pl.DataFrame]:
    """Return each frame's rows of a protocol in the order of the first; different users are an error."""
    first, *others = (frame.filter(pl.col("protocol") == protocol) for frame in frames.values())
    users, parts = first["user_id"], [first]
    for name, part in zip(list(frames)[1:], others, strict=True):
        if not users.sort().equals(part["user_id"].sort()):
            only = [*set(users) ^ set(part["user_id"])]
            raise DataError(
                f"runs are compared over the same users, {next(iter(frames))} has {len(users):,} under "
                f"{protocol} and {name} {len(part):,}, not in both: {some(only)}"
            )
        parts.append(users.to_frame().join(part, on="user_id", how="left", maintain_order="left"))
    return parts
