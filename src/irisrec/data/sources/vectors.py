"""Ready vectors: ``.npy`` with a file of ids, ``.npz`` with both, or Parquet with both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.config import IdType, TableFile
from irisrec.data.sources.reading import Table, find_file, read_table
from irisrec.data.sources.values import read_ids
from irisrec.errors import DataError, FeatureError, count_of, some
from irisrec.ids import IdMap

Vectors = tuple[IdMap, NDArray[np.float32]]


def load_vectors(
    path: Path, ids: Path | None = None, *, id_column: str = "item_id", id_type: IdType = "auto"
) -> Vectors:
    """Return item ids and their vectors, (n, F) float32, row by row.

    Args:
        path: ``.npy`` (n, F); ``.npz`` with the arrays ``ids`` and ``values``; or ``.parquet`` with a column of ids
            and either one column of lists or only columns of numbers, in their order.
        ids: for ``.npy`` the file of the ids, in the order of the rows: ``.txt`` (one per line), ``.json`` (a list),
            ``.npy``, or a table (.csv, .tsv, .parquet, .jsonl) with the column ``id_column`` or with one column.
        id_column: name of the column of ids.
        id_type: how ids are read; ask for the kind of the items where they are known.

    Raises:
        FeatureError: a number of rows that is not the number of ids, repeated ids, vectors that are not numbers, not
            finite, or not of one length.
        DataError: files, columns or ids that cannot be read.
    """
    path = find_file(path.parent, path.name, "the path of the vectors")
    if path.suffix == ".parquet":
        series, values = _from_parquet(path, id_column)
    elif path.suffix == ".npz":
        series, values = _from_npz(path)
    elif path.suffix == ".npy":
        if ids is None:
            raise FeatureError(f"{path.name} has vectors without ids; name the file of their ids")
        series, values = _read_ids(ids, id_column), _array(path)
    else:
        raise FeatureError(f"vectors come as .npy, .npz or .parquet, got {path.name}")
    # Ids of text files and arrays of text know no types of their own: "7" may mean 7.
    typed = series.dtype != pl.String or (ids or path).suffix in (".parquet", ".jsonl", ".ndjson")
    table = Table(series.to_frame(), ids or path, typed, "the ids")
    (clean,), _ = read_ids([(table, series)], id_type, "item")
    return _checked(path, clean, values)


def _checked(path: Path, ids: pl.Series, values: NDArray[Any]) -> Vectors:
    if values.ndim != 2 or not values.shape[1]:
        raise FeatureError(
            f"{path.name}: one vector per item expected, (n, F), got values of shape {values.shape}"
        )
    if len(values) != len(ids):
        raise FeatureError(
            f"{path.name}: one row per item id expected, got {count_of(len(ids), 'id')} and values of shape "
            f"{values.shape}"
        )
    if values.dtype.kind not in "fiub":
        raise FeatureError(f"{path.name}: vectors must be numbers, got {values.dtype}")
    if len(repeated := ids.filter(ids.is_duplicated()).unique(maintain_order=True)):
        raise FeatureError(
            f"{path.name}: one vector per item expected, {count_of(len(repeated), 'id')} "
            f"{'stands' if len(repeated) == 1 else 'stand'} more than once: {some(repeated.head(4))}"
        )
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(values, np.float32)
    bad = np.flatnonzero(~np.isfinite(narrow).all(axis=1))
    if len(bad):
        raise FeatureError(
            f"{path.name}: vectors must be finite in 32 bits, {len(bad):,} of {len(ids):,} are not: "
            f"{some(ids.gather(bad[:4]))} (leave such items out, they then count as not present)"
        )
    return IdMap(ids, "item"), narrow


def _array(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise FeatureError(f"{path.name} is not a NumPy array of numbers or text: {error}") from None


def _from_npz(path: Path) -> tuple[pl.Series, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if lacking := [name for name in ("ids", "values") if name not in arrays]:
                raise FeatureError(
                    f"{path.name} needs the arrays 'ids' and 'values', {some(lacking)} is not among {some(arrays)}"
                )
            return _as_series(path, arrays["ids"]), np.asarray(arrays["values"])
    except (ValueError, OSError, EOFError) as error:
        raise FeatureError(f"{path.name} is not an .npz file of numbers and text: {error}") from None


def _from_parquet(path: Path, id_column: str) -> tuple[pl.Series, NDArray[Any]]:
    table = read_table(path.parent, TableFile(path=path.name), "the path of the vectors")
    ids = table.column(id_column, "the name of the column of ids")
    rest = table.frame.drop(id_column)
    lists = [name for name in rest.columns if isinstance(rest[name].dtype, pl.List | pl.Array)]
    if lists and rest.width > 1:
        raise FeatureError(
            f"{path.name}: one column of lists or only columns of numbers expected beside {id_column!r}, got "
            f"{', '.join(rest.columns)}"
        )
    if lists:
        return ids, _from_lists(path, ids, rest[lists[0]])
    if odd := [name for name in rest.columns if not rest[name].dtype.is_numeric()]:
        raise FeatureError(
            f"{path.name}: columns of numbers expected beside {id_column!r}, {some(odd)} are not"
        )
    if not rest.width:
        raise FeatureError(f"{path.name} has no column beside {id_column!r}")
    return ids, rest.with_columns(pl.all().cast(pl.Float64)).fill_null(float("nan")).to_numpy()


def _from_lists(path: Path, ids: pl.Series, lists: pl.Series) -> NDArray[Any]:
    variable = lists.cast(pl.List(pl.Float64), strict=False)
    lengths = variable.list.len().fill_null(0)
    usual = int(lengths.mode().max() or 0)  # type: ignore[arg-type]
    if (odd := lengths != usual).any():
        raise FeatureError(
            f"{path.name}: vectors must be of one length, {int(odd.sum()):,} of {len(ids):,} have other lengths than "
            f"{usual}: {some(ids.filter(odd).head(4))}"
        )
    return variable.explode().fill_null(float("nan")).to_numpy().reshape(len(ids), usual)


def _read_ids(path: Path, id_column: str) -> pl.Series:
    option = "the file of the ids"
    path = find_file(path.parent, path.name, option)
    if path.suffix == ".npy":
        return _as_series(path, _array(path))
    if path.suffix == ".json":
        return _from_json(path)
    if path.suffix == ".txt":
        file = TableFile(path=path.name, header=["id"], separator="\x1e", quote="")
        return read_table(path.parent, file, option).frame["id"]
    table = read_table(path.parent, TableFile(path=path.name), option)
    if id_column not in table.columns and len(table.columns) == 1:
        return table.frame.to_series()
    return table.column(id_column, "the name of the column of ids")


def _from_json(path: Path) -> pl.Series:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not JSON in UTF-8: {error}") from None
    kinds = {type(value) for value in values} if isinstance(values, list) else set()
    if kinds not in ({str}, {int}):
        raise DataError(f"{path} must be a list of ids, all strings or all integers")
    return pl.Series("ids", values)


def _as_series(path: Path, array: NDArray[Any]) -> pl.Series:
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise FeatureError(
            f"{path.name}: ids must be a row of integers or text, got shape {array.shape} of {array.dtype}"
        )
    return pl.Series("ids", array.tolist())
