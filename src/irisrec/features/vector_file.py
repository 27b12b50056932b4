"""Feature tables as Parquet: ``item_id`` and ``vector``, one row per present item; every tool reads that."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from irisrec.data.sources.vectors import load_vectors
from irisrec.features.table import FeatureTable
from irisrec.files import atomic_path


def write_vectors(table: FeatureTable, path: Path) -> None:
    """Write the present rows of a table."""
    present = table.present
    frame = pl.DataFrame(
        {"item_id": table.ids.series.filter(pl.Series(present)), "vector": table.values[present]},
        schema_overrides={"vector": pl.Array(pl.Float32, table.dim)},
    )
    with atomic_path(path) as temporary:
        frame.write_parquet(temporary)


def read_vectors(path: Path, ids: Path | None = None) -> FeatureTable:
    """Read a file of vectors as a table named after the file; all of its items are present.

    Args:
        path: ``.npy``, ``.npz`` or ``.parquet``, as `load_vectors` reads them.
        ids: for ``.npy`` the file of ids.
    """
    items, values = load_vectors(path, ids)
    return FeatureTable.from_vectors(path.stem, items, values)
