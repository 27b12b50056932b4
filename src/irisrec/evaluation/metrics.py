"""Metrics of a ranking, computed from the ranks of the targets; every function returns one value per user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hit_ratio(ranks: NDArray[np.int64], owners: NDArray[np.int64], n_users: int, k: int) -> Floats:
    """Return 1 for a user with any target among the first k places, else 0; equation (13) before the mean.

    Args:
        ranks: rank of each target, 1 = first.
        owners: the user each target belongs to, below ``n_users``; a user without targets gets NaN.
        n_users: number of users.
        k: cutoff.

    >>> hit_ratio(np.array([3, 11]), np.array([0, 1]), 2, k=10)
    array([1., 0.])
    """
    hits = np.bincount(owners, weights=ranks <= k, minlength=n_users)
    return _with_targets((hits > 0).astype(np.float64), owners, n_users)


def ndcg(ranks: NDArray[np.int64], owners: NDArray[np.int64], n_users: int, k: int) -> Floats:
    """Return the normalised discounted cumulative gain at k; for one target 1 / log2(1 + rank), equation (14).

    With several targets the gains add up and are divided by the best that k places allow.

    >>> ndcg(np.array([1, 3]), np.array([0, 1]), 2, k=10)
    array([1. , 0.5])
    """
    gains = np.where(ranks <= k, 1 / np.log2(1 + ranks), 0.0)
    n_targets = np.bincount(owners, minlength=n_users)
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(2 + np.arange(k)))])
    ideal = best[np.minimum(n_targets, k)]
    totals = np.bincount(owners, weights=gains, minlength=n_users)
    return _with_targets(totals / np.where(ideal > 0, ideal, 1), owners, n_users)


def _with_targets(values: Floats, owners: NDArray[np.int64], n_users: int) -> Floats:
    has_targets = np.bincount(owners, minlength=n_users) > 0
    return np.where(has_targets, values, np.nan)


METRICS = {"hr": hit_ratio, "ndcg": ndcg}
