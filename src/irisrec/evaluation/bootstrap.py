"""How far a mean over users would move with other users of the same kind: the bootstrap and its intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL, N_RESAMPLES = 0.95, 2000
_AT_ONCE = 4_000_000  # numbers of resampled users in memory at once


def mean_intervals(values: Mapping[str, Floats]) -> dict[str, tuple[float, float]]:
    """Return {metric: (low, high)}, between which 95 % of the resampled means of the (n_users,) values lie.

    NaN has no part in a mean; a metric that nobody has a value of is left out. The same draw of the same users as
    in `significance.compare`, so that a run has one interval wherever it is shown.
    """
    known = {name: column for name, column in values.items() if not np.isnan(column).all()}
    if not known:
        return {}
    table = np.column_stack([*known.values()])
    table = table[~np.isnan(table).all(axis=1)]
    bounds = interval(bootstrap_means(table, N_RESAMPLES, seed=0), LEVEL)
    return {name: (float(low), float(high)) for name, (low, high) in zip(known, bounds.T, strict=True)}


def bootstrap_means(values: Floats, n_resamples: int, seed: int) -> Floats:
    """Return (n_resamples, m): the column means of (n, m) values over n rows drawn again with replacement.

    One draw serves all columns, so that differences of columns are paired. NaN has no part in a mean.
    """
    rng = np.random.default_rng(seed)
    known = ~np.isnan(values)
    stacked = np.hstack([np.where(known, values, 0.0), known])
    sums = np.concatenate([counts @ stacked for counts in _resamples(len(values), n_resamples, rng)])
    totals, n_known = np.hsplit(sums, 2)
    means: Floats = np.divide(totals, n_known, out=np.full(totals.shape, np.nan), where=n_known > 0)
    return means


def _resamples(n: int, n_resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield (b, n) counts of how often each row was drawn."""
    step = max(1, _AT_ONCE // n)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def interval(means: Floats, level: float) -> Floats:
    """Return (2, m): the percentiles between which ``level`` of the (n_resamples, m) means lie."""
    tail = 100 * (1 - level) / 2
    bounds: Floats = np.nanpercentile(means, [tail, 100 - tail], axis=0)
    return bounds
