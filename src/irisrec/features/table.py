"""FeatureTable: the vectors of one modality, and who has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import FeatureError, count_of, some
from irisrec.ids import IdMap


@dataclass(frozen=True)
class FeatureTable:
    """Vectors of one modality.

    Attributes:
        modality: any name: image, text, audio, price, …
        ids: item ids, row ``i`` of ``values`` belongs to ``ids[i]``.
        values: (n, F) float32; a row that is not present is all zeros.
        present: (n,) bool, True = the item has this modality.
    """

    modality: str
    ids: IdMap
    values: NDArray[np.float32]
    present: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.values.ndim != 2 or len(self.values) != n or self.present.shape != (n,):
            raise FeatureError(
                f"{self.modality}: one row per item id expected, got {count_of(n, 'id')} and values of shape "
                f"{self.values.shape}, present of shape {self.present.shape}"
            )
        bad = np.flatnonzero(~np.isfinite(self.values).all(axis=1))
        if len(bad):
            raise FeatureError(
                f"{self.modality}: vectors must be finite, {len(bad):,} of {n:,} are not: "
                f"{some(self.ids.ids(bad[:4]))} (leave such items out, they then count as not present)"
            )
        if self.values[~self.present].any():
            raise FeatureError(f"{self.modality}: rows that are not present must be zero")

    @property
    def dim(self) -> int:
        """Width F of the vectors."""
        return int(self.values.shape[1])

    @property
    def coverage(self) -> float:
        """Share of the items that have this modality."""
        return float(self.present.mean()) if len(self.present) else 0.0

    def align(self, items: IdMap) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return (N, F) values and (N,) present in the order of ``items``; absent rows are zero and False."""
        rows = self.ids.lookup(items.series)
        known = rows >= 0
        if len(items) and not known.any():
            raise FeatureError(
                f"{self.modality}: none of the {len(items):,} items has a vector here; items are "
                f"{items.kind} ids such as {some(items.series.head(2))}, vectors have {self.ids.kind} ids such as "
                f"{some(self.ids.series.head(2))}"
            )
        values = np.zeros((len(items), self.dim), np.float32)
        values[known] = self.values[rows[known]]
        present = np.zeros(len(items), bool)
        present[known] = self.present[rows[known]]
        return values, present

    @classmethod
    def from_vectors(cls, modality: str, ids: IdMap, values: NDArray[np.generic]) -> FeatureTable:
        """Wrap ready vectors; all of the given ids count as present."""
        if values.ndim != 2 or len(values) != len(ids):
            raise FeatureError(
                f"{modality}: one row per item id expected, got {count_of(len(ids), 'id')} and values of shape "
                f"{values.shape}"
            )
        return cls(modality, ids, np.ascontiguousarray(values, np.float32), np.ones(len(ids), bool))
