"""Metrics of a ranking, computed from the ranks of the targets; every function returns one value per user.

All take the same arguments: ``ranks``, the rank of each target, 1 = first, distinct among the targets of one user;
``owners``, the user each target belongs to; ``n_users``; and ``k``, the cutoff. A user without targets gets NaN.
Values agree with trec_eval where it has the metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MetricName = Literal["hr", "ndcg", "mrr", "recall", "precision", "map", "auc"]


def hit_ratio(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
    """Return 1 for a user with any target among the first k places, else 0; equation (13) before the mean.

    >>> hit_ratio(np.array([3, 11]), np.array([0, 1]), 2, k=10)
    array([1., 0.])
    """
    hits = np.bincount(owners, weights=ranks <= k, minlength=n_users)
    return _with_targets((hits > 0).astype(np.float64), owners, n_users)


def ndcg(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
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


def reciprocal_rank(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
    """Return 1 / rank of the user's best target, 0 where none is among the first k places.

    >>> reciprocal_rank(np.array([4, 2, 11]), np.array([0, 0, 1]), 2, k=10)
    array([0.5, 0. ])
    """
    best = np.zeros(n_users)
    np.maximum.at(best, owners, np.where(ranks <= k, 1 / ranks, 0.0))
    return _with_targets(best, owners, n_users)


def recall(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
    """Return the share of the user's targets among the first k places, also where the user has more than k.

    >>> recall(np.array([1, 2, 11, 12]), np.array([0, 0, 0, 0]), 1, k=10)
    array([0.5])
    """
    n_targets = np.bincount(owners, minlength=n_users)
    return _with_targets(_hits(ranks, owners, n_users, k) / np.maximum(n_targets, 1), owners, n_users)


def precision(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
    """Return the share of the first k places that hold a target; divided by k, also where candidates are fewer.

    >>> precision(np.array([1, 4]), np.array([0, 0]), 1, k=4)
    array([0.5])
    """
    return _with_targets(_hits(ranks, owners, n_users, k) / k, owners, n_users)


def average_precision(ranks: Ints, owners: Ints, n_users: int, k: int) -> Floats:
    """Return the mean, over all targets of a user, of the precision at the rank of each; 0 for ranks beyond k.

    >>> average_precision(np.array([1, 4, 11]), np.array([0, 0, 0]), 1, k=10)
    array([0.5])
    """
    gains = np.where(ranks <= k, _places(ranks, owners) / ranks, 0.0)
    n_targets = np.bincount(owners, minlength=n_users)
    totals = np.bincount(owners, weights=gains, minlength=n_users)
    return _with_targets(totals / np.maximum(n_targets, 1), owners, n_users)


def auc(ranks: Ints, owners: Ints, n_users: int, n_candidates: Ints) -> Floats:
    """Return the share of pairs (target, other candidate) in which the target comes first.

    ``n_candidates`` (T,) says how many items each target was ranked among, all targets of the user included. NaN
    also for a user whose candidates are all targets.

    >>> auc(np.array([2, 3]), np.array([0, 0]), 1, np.array([5, 5]))  # of 3 others, one comes first
    array([0.66666667])
    """
    n_targets = np.bincount(owners, minlength=n_users)
    n_others = (n_candidates - n_targets[owners]).astype(np.float64)
    before = ranks - _places(ranks, owners)
    shares = np.divide(before, n_others, out=np.full(len(ranks), np.nan), where=n_others > 0)
    totals = np.bincount(owners, weights=1 - shares, minlength=n_users)
    return _with_targets(totals / np.maximum(n_targets, 1), owners, n_users)


CUTOFF_METRICS: dict[MetricName, Callable[[Ints, Ints, int, int], Floats]] = {
    "hr": hit_ratio,
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
    "recall": recall,
    "precision": precision,
    "map": average_precision,
}


def compute(
    names: tuple[MetricName, ...],
    cutoffs: tuple[int, ...],
    ranks: Ints,
    owners: Ints,
    n_users: int,
    n_candidates: Ints,
) -> dict[str, Floats]:
    """Return {``hr@10``: (n_users,) values, …} for every name at every cutoff; ``auc`` has no cutoff."""
    values = {
        f"{name}@{k}": CUTOFF_METRICS[name](ranks, owners, n_users, k)
        for k in cutoffs
        for name in names
        if name != "auc"
    }
    if "auc" in names:
        values["auc"] = auc(ranks, owners, n_users, n_candidates)
    return values


def main_metric(names: Iterable[str]) -> str:
    """Return the metric to show where there is room for one: the first NDCG, else the first of all.

    >>> main_metric(["hr@10", "ndcg@10", "ndcg@20"]), main_metric(["hr@5", "map@5"])
    ('ndcg@10', 'hr@5')
    """
    known = list(names)
    return next((name for name in known if name.startswith("ndcg")), known[0])


def _hits(ranks: Ints, owners: Ints, n_users: int, k: int) -> Ints:
    return np.bincount(owners[ranks <= k], minlength=n_users)


def _places(ranks: Ints, owners: Ints) -> Ints:
    """Return which of its user's targets each one is, 1 = the best placed."""
    order = np.lexsort((ranks, owners))
    starts = np.flatnonzero(np.diff(owners[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    places = np.empty(len(ranks), np.int64)
    places[order] = np.arange(len(order)) - np.repeat(starts, sizes) + 1
    return places


def _with_targets(values: Floats, owners: Ints, n_users: int) -> Floats:
    has_targets = np.bincount(owners, minlength=n_users) > 0
    return np.where(has_targets, values, np.nan)
