"""What the lists are like that users would see: how varied, how new, how popular; right or wrong plays no part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Content = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]


def list_measures(
    top: Ints, histories: csr_matrix, train: csr_matrix, content: Content | None = None
) -> dict[str, float]:
    """Describe the first K places of every user's full ranking.

    Args:
        top: (U, K) item rows, best first, -1 where a user has fewer candidates.
        histories: (U, n_items), what these users are known by.
        train: (n_users, n_items), where popularity is counted.
        content: {modality: (values (n_items, F), present (n_items,))}.

    Returns:
        ``coverage``: share of all items that stand in any list. ``gini``: of how often items are recommended, 0 all
        alike, 1 one item alone. ``novelty``: mean of -log2 of the share of users who had the item (one user at
        least). ``popularity_lists`` and ``popularity_histories``: mean over users of the mean popularity percentile
        of their items, 0.5 for items drawn evenly; ``popularity_bias`` is their difference. ``diversity_image``
        and the like: mean over lists of 1 - mean cosine of all pairs of items that have the modality; lists with
        fewer than two such items have no part in it.
    """
    n_users, n_items = train.shape
    shown = top[top >= 0]
    times = np.bincount(shown, minlength=n_items)
    counts = np.bincount(train.indices, minlength=n_items)
    percentiles = popularity_percentiles(counts)
    in_lists, in_histories = _mean_of_lists(percentiles, top), _mean_of_histories(percentiles, histories)
    measures = {
        "coverage": float((times > 0).mean()),
        "gini": gini(times),
        "novelty": float(-np.log2(np.maximum(counts[shown], 1) / n_users).mean()),
        "popularity_lists": in_lists,
        "popularity_histories": in_histories,
        "popularity_bias": in_lists - in_histories,
    }
    for name, (values, present) in (content or {}).items():
        if (diversity := intra_list_diversity(top, values, present)) is not None:
            measures[f"diversity_{name}"] = diversity
    return measures


def gini(counts: NDArray[np.integer]) -> float:
    """Return the Gini index of counts: 0 where all are equal, near 1 where one has everything.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered = np.sort(counts).astype(np.float64)
    n, total = len(ordered), ordered.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total)) if total else 0.0


def popularity_percentiles(counts: NDArray[np.integer]) -> Floats:
    """Return for each item the share of items that are less popular, equal ones counted half; the mean is 0.5.

    >>> popularity_percentiles(np.array([5, 1, 5, 9])).tolist()
    [0.5, 0.125, 0.5, 0.875]
    """
    ordered = np.sort(counts)
    below = np.searchsorted(ordered, counts, side="left")
    up_to = np.searchsorted(ordered, counts, side="right")
    shares: Floats = (below + up_to) / (2 * len(counts))
    return shares


def intra_list_diversity(top: Ints, values: NDArray[np.float32], present: NDArray[np.bool_]) -> float | None:
    """Return the mean over lists of 1 - mean cosine of their pairs; None where no list has two items to compare."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    units = np.where(present[:, None], values / np.where(lengths > 0, lengths, 1), 0.0).astype(np.float32)
    has = (top >= 0) & present[top] & (lengths[top, 0] > 0)
    n = has.sum(1)
    owners, places = np.nonzero(has)
    lists = csr_matrix(
        (np.ones(len(owners), np.float32), (owners, top[owners, places])), (len(top), len(units))
    )
    total = np.square(lists @ units, dtype=np.float64).sum(1)  # all pairs of a list, each twice, and itself
    fit = n >= 2
    if not fit.any():
        return None
    cosine = (total[fit] - n[fit]) / (n[fit] * (n[fit] - 1))
    return float((1 - cosine).mean())


def _mean_of_lists(values: Floats, top: Ints) -> float:
    shown = top >= 0
    sums = np.where(shown, values[top], 0.0).sum(1)
    return _mean(sums, shown.sum(1))


def _mean_of_histories(values: Floats, histories: csr_matrix) -> float:
    return _mean(histories @ values, np.diff(histories.indptr))


def _mean(sums: Floats, n: NDArray[np.integer]) -> float:
    return float((sums[n > 0] / n[n > 0]).mean()) if (n > 0).any() else 0.0
