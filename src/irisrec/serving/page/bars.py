"""Bars of numbers that have parts: each part to the side of zero that its sign says, all on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

IDS = "ids"
_ROOM = 0.5  # percent that stay free at both ends


@dataclass(frozen=True)
class Segment:
    """A part of a bar: whose it is, and where it lies, in percent of the width."""

    name: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A bar: where zero is, in percent, and its parts."""

    zero: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Scale:
    """From numbers to percent of the width; zero is always on it."""

    low: float
    high: float

    @classmethod
    def of(cls, bars: Iterable[Mapping[str, float]]) -> Self:
        """Return the smallest scale that has room for all bars.

        >>> Scale.of([{"image": 2.0, "text": -1.0}, {"image": 1.5, "text": 1.5}])
        Scale(low=-1.0, high=3.0)
        """
        low = high = 0.0
        for parts in bars:
            low = min(low, sum(part for part in parts.values() if part < 0))
            high = max(high, sum(part for part in parts.values() if part > 0))
        return cls(low, high)

    def bar(self, parts: Mapping[str, float]) -> Bar:
        """Lay the parts of a number out, positive ones to the right of zero and negative ones to the left.

        >>> Scale(-1.0, 3.0).bar({"image": 3.0, "text": -1.0}).zero
        25.25
        """
        spread = (self.high - self.low) or 1.0
        per_unit = (100 - 2 * _ROOM) / spread
        zero = _ROOM - self.low * per_unit
        left = right = zero
        segments = []
        for name, part in parts.items():
            width = abs(part) * per_unit
            if part < 0:
                left -= width
            if width >= 0.05:
                segments.append(Segment(name, round(left if part < 0 else right, 2), round(width, 2)))
            if part > 0:
                right += width
        return Bar(round(zero, 2), tuple(segments))


def parts_of(total: float, modalities: Mapping[str, float]) -> dict[str, float]:
    """Return the parts of a number: what each modality gives, and what is left, which the ids alone give."""
    return {**modalities, IDS: total - sum(modalities.values())}
