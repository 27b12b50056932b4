"""Do the features see anything? Coverage, norms, duplicates and nearest neighbours of a table of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import FeatureError, count_of
from irisrec.features.table import FeatureTable
from irisrec.ids import Id
from irisrec.progress import progress

ROWS = 1024  # of a block of cosines


class Pair(NamedTuple):
    """Two items and the cosine of their vectors."""

    first: Id
    second: Id
    cosine: float


@dataclass(frozen=True)
class Inspection:
    """What a table of vectors looks like.

    Attributes:
        modality, n_items, n_present, dim: which table, and its size.
        norms: least, median and greatest length of a present vector; zeros where nobody is present.
        n_zero: items that are present with a vector of zeros only.
        n_constant: columns that are the same for every present item, and so tell nothing.
        duplicates: groups of two or more items with exactly equal vectors, largest first.
        n_near: pairs with a cosine of at least `near` whose vectors are not equal.
        near: the threshold of near-duplicates.
        near_pairs: the closest of those pairs, closest first.
    """

    modality: str
    n_items: int
    n_present: int
    dim: int
    norms: tuple[float, float, float]
    n_zero: int
    n_constant: int
    duplicates: list[list[Id]]
    n_near: int
    near: float
    near_pairs: list[Pair]

    @property
    def coverage(self) -> float:
        """Share of the items that have a vector."""
        return self.n_present / self.n_items if self.n_items else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "modality": self.modality,
            "items": self.n_items,
            "present": self.n_present,
            "coverage": self.coverage,
            "dim": self.dim,
            "norms": dict(zip(("min", "median", "max"), self.norms, strict=True)),
            "zero_vectors": self.n_zero,
            "constant_dimensions": self.n_constant,
            "duplicate_groups": self.duplicates,
            "near_duplicates": {
                "cosine_at_least": self.near,
                "pairs": self.n_near,
                "closest": [pair._asdict() for pair in self.near_pairs],
            },
        }

    def __str__(self) -> str:
        copies = sum(len(group) - 1 for group in self.duplicates)
        lines = [
            f"{self.modality}: {self.n_present:,} of {count_of(self.n_items, 'item')} present "
            f"({self.coverage:.1%}), {self.dim:,} dimensions",
            f"  norms {self.norms[0]:.3g} / {self.norms[1]:.3g} / {self.norms[2]:.3g} (least, median, greatest); "
            f"{count_of(self.n_zero, 'zero vector')}, {count_of(self.n_constant, 'constant dimension')}",
            f"  {count_of(copies, 'item')} with exactly the vector of another",
            *(
                f"    {', '.join(map(str, group[:6]))}{', …' * (len(group) > 6)}"
                for group in self.duplicates[:3]
            ),
            f"  {count_of(self.n_near, 'pair')} nearly the same (cosine at least {self.near:g})",
            *(f"    {pair.first} and {pair.second}: {pair.cosine:.4f}" for pair in self.near_pairs[:5]),
        ]
        return "\n".join(lines)


def inspect_table(table: FeatureTable, near: float = 0.98, limit: int = 20) -> Inspection:
    """Look at one table; time grows with the square of the number of items.

    Args:
        table: the vectors.
        near: cosine from which two items count as nearly the same.
        limit: how many of the closest pairs to keep.
    """
    rows = np.flatnonzero(table.present)
    values = table.values[rows]
    norms = np.linalg.norm(values, axis=1)
    groups, distinct = _equal_rows(values)
    n_near, pairs = _near_pairs(_unit(values[distinct]), near, limit)
    ids = np.asarray(table.ids.ids(rows), dtype=object)
    return Inspection(
        modality=table.modality,
        n_items=len(table.ids),
        n_present=len(rows),
        dim=table.dim,
        norms=(float(norms.min()), float(np.median(norms)), float(norms.max()))
        if len(rows)
        else (0.0, 0.0, 0.0),
        n_zero=int((norms == 0).sum()),
        n_constant=int((values == values[:1]).all(axis=0).sum()) if len(rows) > 1 else 0,
        duplicates=[ids[group].tolist() for group in groups],
        n_near=n_near,
        near=near,
        near_pairs=[Pair(ids[distinct[i]], ids[distinct[j]], cosine) for i, j, cosine in pairs],
    )


def nearest(
    table: FeatureTable, queries: Sequence[int] | NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of the k nearest present items by cosine, the query left out, and the cosines.

    Ties go to the item that stands first. Shape: queries (Q,) -> rows (Q, K), cosines (Q, K) with K = k, or the number
    of other present items where there are fewer.
    """
    queries = np.asarray(queries, np.int64)
    if not table.present[queries].all():
        missing = table.ids.ids(queries[~table.present[queries]][:1])[0]
        raise FeatureError(f"{table.modality}: {missing!r} has no vector, so it has no neighbours")
    present = np.flatnonzero(table.present)
    unit = _unit(table.values[present])
    cosines = _unit(table.values[queries]) @ unit.T
    cosines[queries[:, None] == present] = -np.inf
    k = min(k, len(present) - 1)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return present[order], np.take_along_axis(cosines, order, axis=1)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12), np.float32)


def _equal_rows(values: NDArray[np.float32]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Return groups of equal rows, and the first row of every distinct vector."""
    places: dict[bytes, list[int]] = {}
    for row, vector in enumerate(np.ascontiguousarray(values)):
        places.setdefault(vector.tobytes(), []).append(row)
    groups = sorted((rows for rows in places.values() if len(rows) > 1), key=len, reverse=True)
    return [np.array(group) for group in groups], np.array([rows[0] for rows in places.values()], np.int64)


def _near_pairs(
    unit: NDArray[np.float32], near: float, limit: int
) -> tuple[int, list[tuple[int, int, float]]]:
    """Count pairs above the threshold and keep the closest, block by block of the upper triangle."""
    total, found = 0, np.empty((0, 3))
    with progress("compare", len(unit)) as task:
        for start in range(0, len(unit), ROWS):
            cosines = unit[start : start + ROWS] @ unit[start:].T
            rows, columns = np.nonzero(np.triu(cosines >= near, k=1))
            total += len(rows)
            block = np.stack([rows + start, columns + start, cosines[rows, columns]], axis=1)
            found = np.concatenate([found, block])
            found = found[np.argsort(-found[:, 2], kind="stable")][:limit]
            task.advance(min(ROWS, len(unit) - start))
    return total, [(int(i), int(j), float(cosine)) for i, j, cosine in found]
