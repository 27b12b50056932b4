"""Choosing from what items are ranked by: the first k, within limits, and unlike one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Limit:
    """How many items of a list may share a value.

    Attributes:
        n: how many.
        values: for each item row, the numbers of its values; may be empty.
    """

    n: int
    values: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Diversity:
    """Maximal marginal relevance, see `Rules`.

    Attributes:
        weight: δ.
        pool: how many of the best items are chosen from.
        units: gives the vectors (n, D) of some item rows, of length 1, or zeros for an item that is like no other.
    """

    weight: float
    pool: int
    units: Callable[[Ints], Floats]


def first_k(values: Floats, k: int) -> Ints:
    """Return the columns of the k highest values of each row, best first; of equal ones the first column leads.

    Shape:
        (B, C) -> (B, min(k, C)), -1 where fewer than k values are above -inf

    >>> first_k(np.array([[0.5, 2.0, 0.5, -np.inf]]), 3).tolist()
    [[1, 0, 2]]
    """
    n_columns = values.shape[1]
    k = min(k, n_columns)
    chosen = np.full((len(values), k), -1, np.int64)
    if not k:
        return chosen
    least = np.partition(values, n_columns - k, axis=1)[:, n_columns - k, None]
    rows, columns = np.nonzero((values >= least) & (values > -np.inf))
    order = np.lexsort(
        (-values[rows, columns], rows)
    )  # stable: equal values stay in the order of the columns
    rows, columns = rows[order], columns[order]
    places = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = places < k
    chosen[rows[kept], places[kept]] = columns[kept]
    return chosen


def choose(
    values: Floats, items: Ints, k: int, limits: Sequence[Limit] = (), diversity: Diversity | None = None
) -> Ints:
    """Return up to k columns for one user, in the order of the list.

    Args:
        values: (C,), what items are ranked by; -inf for items that may not be chosen.
        items: (C,), the item row of each column.
        k: length of the list.
        limits: met walking down the ranking; an item is passed over when one of its values has no room left.
        diversity: how the places among the best are given; without it, by rank.
    """
    n = max(4 * k, diversity.pool if diversity else 0)  # more are ranked only where limits pass over so many
    while True:
        order = first_k(values[None], n)[0]
        order = order[order >= 0]
        chosen = _filled(values[order], items[order], k, limits, diversity)
        if len(chosen) == k or len(order) < n:
            places = np.array(chosen, np.int64)
            return np.asarray(order[places])
        n *= 4


def _filled(
    values: Floats, items: Ints, k: int, limits: Sequence[Limit], diversity: Diversity | None
) -> list[int]:
    """Return places in a ranking: diverse ones among the first, then by rank, all within the limits."""
    room = _Room(limits)
    chosen: list[int] = []
    n_pool = 0
    if diversity is not None:
        n_pool = min(diversity.pool, len(items))
        chosen = _diverse(values[:n_pool], items[:n_pool], k, room, diversity)
    for place in range(n_pool, len(items)):
        if len(chosen) == k:
            break
        if room.take(int(items[place])):
            chosen.append(place)
    return chosen


def _diverse(values: Floats, items: Ints, k: int, room: _Room, diversity: Diversity) -> list[int]:
    if not len(items):
        return []
    spread = float(values[0] - values[-1])
    relevance = (values - values[-1]) / (spread or 1.0)
    units = diversity.units(items)
    closest = np.zeros(len(items))  # before the first item none is close to the list
    free = np.ones(len(items), bool)
    chosen: list[int] = []
    while len(chosen) < k and free.any():
        marginal = (1 - diversity.weight) * relevance - diversity.weight * closest
        best = int(np.argmax(np.where(free, marginal, -np.inf)))
        free[best] = False
        if room.take(int(items[best])):
            cosine = units @ units[best]
            closest = np.maximum(closest, cosine) if chosen else cosine
            chosen.append(best)
    return chosen


class _Room:
    """What the limits have left."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = [(limit, dict[int, int]()) for limit in limits]

    def take(self, item: int) -> bool:
        """Count an item if there is room for all of its values."""
        for limit, taken in self._limits:
            if any(taken.get(value, 0) >= limit.n for value in limit.values[item]):
                return False
        for limit, taken in self._limits:
            for value in limit.values[item]:
                taken[value] = taken.get(value, 0) + 1
        return True
