"""Which items want a picture: any table with ids and addresses, or the data set that a config describes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from irisrec.data.config import DataConfig, TableFile
from irisrec.data.dataset import Dataset
from irisrec.data.load import load_dataset
from irisrec.data.sources.reading import read_table
from irisrec.data.sources.values import read_ids
from irisrec.errors import DataError
from irisrec.ids import Id


def from_table(path: Path, id_column: str, url_column: str) -> list[tuple[Id, str | None]]:
    """Read (id, url) pairs from a table of any known format."""
    path = Path(path).expanduser()
    table = read_table(path.parent, TableFile(path=path.name), "--data")
    (ids,), _ = read_ids([(table, table.column(id_column, "--id-column"))], "auto", "item")
    urls = table.column(url_column, "--url-column")
    if urls.dtype != pl.String:
        raise DataError(
            f"{path} has a column {url_column!r} of {urls.dtype}, addresses are strings; set --url-column"
        )
    return list(zip(ids.to_list(), urls.to_list(), strict=True))


def from_dataset(config: DataConfig, url_column: str) -> list[tuple[Id, str | None]]:
    """Give (id, url) for the items that a config keeps, from a column of its catalog."""
    dataset: Dataset = load_dataset(config)
    frame = dataset.catalog.frame
    if url_column not in frame.columns:
        columns = ", ".join(frame.columns)
        raise DataError(f"the catalog has no column {url_column!r}, it has {columns}; set --url-column")
    return list(frame.select("item_id", url_column).iter_rows())
