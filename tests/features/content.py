"""Pictures and catalogs for the tests, the odd ones included."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from irisrec.data.catalog import Catalog


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> Image.Image:
    """Draw a few coloured rectangles."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(rng.integers(0, 255, 3).tolist()))
    for _ in range(4):
        left, top = rng.integers(0, 32, 2).tolist()
        image.paste(tuple(rng.integers(0, 255, 3).tolist()), (left, top, left + 14, top + 20))
    return image


def as_bytes(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def catalog_of(**columns: list[Any]) -> Catalog:
    n = len(next(iter(columns.values())))
    return Catalog.of(pl.DataFrame({"item_id": [f"i{row}" for row in range(n)], **columns}))


def write_pictures(folder: Path, n: int) -> Catalog:
    """Write n different pictures and return their catalog."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in range(n):
        picture(row).save(folder / f"{row}.png")
    return catalog_of(picture=[str(folder / f"{row}.png") for row in range(n)])
