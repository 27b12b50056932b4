"""A fingerprint of data that is the same on every machine and for every file format."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.files import sha256


def fingerprint_of(
    users: pl.Series,
    items: pl.Series,
    user_index: NDArray[np.int64],
    item_index: NDArray[np.int64],
    times: pl.Series | None,
    catalog: pl.DataFrame,
) -> str:
    """Hash what a data set consists of, in this order; catalog columns by name, pictures by presence alone."""
    parts = [_column(users), _column(items)]
    parts += [hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest() for rows in (user_index, item_index)]
    parts.append("no times" if times is None else _column(times))
    catalog = catalog.with_columns(pl.col("picture").is_not_null())
    for name in sorted(catalog.columns):
        parts += [name, _column(catalog[name])]
    return sha256(*parts)


def _column(values: pl.Series) -> str:
    """Hash one column; integers of any width are the same, text is hashed as its UTF-8 bytes with lengths."""
    missing = values.is_null()
    kind, content = _content(values)
    digest = hashlib.sha256(kind.encode())
    digest.update(np.packbits(missing.to_numpy()).tobytes())
    digest.update(content)
    return digest.hexdigest()


def _content(values: pl.Series) -> tuple[str, bytes]:
    dtype = values.dtype
    if dtype.is_integer() or dtype == pl.Boolean:
        return "integer", values.cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()
    if dtype.is_float():
        return "float", values.cast(pl.Float64).fill_null(0).to_numpy().astype("<f8").tobytes()
    if dtype.is_temporal():
        return str(dtype), values.to_physical().fill_null(0).to_numpy().astype("<i8").tobytes()
    if dtype == pl.String:
        text = values.fill_null("")
        lengths = text.str.len_bytes().to_numpy().astype("<i8").tobytes()
        return "string", lengths + "".join(text).encode()
    return str(dtype), values.alias("").to_frame().write_ndjson().encode()
