"""Small files and data sets made by hand."""

from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.config import DataConfig
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.load import load_dataset

PAIRS = [("ann", "mug"), ("ann", "lamp"), ("bob", "mug"), ("bob", "vase"), ("cleo", "lamp")]
CSV = "user_id,item_id\n" + "".join(f"{user},{item}\n" for user, item in PAIRS)


def write(folder: Path, **files: str | bytes) -> Path:
    """Write files; in their names ``__`` stands for the dot."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def load(root: Path, **options: Any) -> Dataset:
    """Load with source "tables" unless told otherwise."""
    if options.get("source", "tables") == "tables":
        options = {"interactions": "pairs.csv"} | options
    return load_dataset(DataConfig.read({"root": root, **options}, "data"))


def dataset_of(pairs: list[tuple[Any, Any]], times: list[Any] | None = None) -> Dataset:
    """Build a data set from pairs of ids."""
    frame = pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")
    if times is not None:
        frame = frame.with_columns(pl.Series("time", times, strict=False))
    return Dataset.build(Interactions(frame))


def pairs_of(dataset: Dataset, matrix: Any = None) -> list[tuple[Any, Any]]:
    """Return the pairs of ids in a matrix over the data set, by row; of the data set itself in source order."""
    rows, columns = (dataset.user_index, dataset.item_index) if matrix is None else matrix.nonzero()
    return list(zip(dataset.users.ids(rows), dataset.items.ids(columns), strict=True))
