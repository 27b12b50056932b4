"""How a list differs from the one it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

COMPARED = 100  # places of the other list that are looked at


@dataclass(frozen=True)
class Move:
    """Where an item went.

    Attributes:
        kind: ``new`` where it was beyond the places that are looked at, or stood in the history.
        by: places, 0 or more.
        was: its place before; None for a new one.
    """

    kind: Literal["up", "down", "same", "new"]
    by: int = 0
    was: int | None = None


def moved(place: int, was: int | None) -> Move:
    """Compare a place with the one before.

    >>> moved(2, 5), moved(3, 1).kind, moved(9, None).kind
    (Move(kind='up', by=3, was=5), 'down', 'new')
    """
    if was is None:
        return Move("new")
    kind: Literal["up", "down", "same"] = "up" if place < was else "down" if place > was else "same"
    return Move(kind, abs(was - place), was)


def gone(before: Mapping[str, int], now: set[str], k: int) -> list[tuple[str, int]]:
    """Return what was among the first ``k`` before and is not in the list now, with its place then."""
    return [(id, place) for id, place in before.items() if place <= k and id not in now]
