"""The contact sheet: pictures of items beside those of their nearest neighbours, for a person to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from irisrec.data.catalog import Catalog
from irisrec.errors import FeatureError
from irisrec.features.inspect import nearest
from irisrec.features.pictures import decode, quiet_pillow, read_bytes
from irisrec.features.table import FeatureTable
from irisrec.files import atomic_path

CELL, CAPTION, GAP = 168, 46, 8
INK, PALE, FRAME = "#1c1c1c", "#6a6a6a", "#d8d8d8"


def contact_sheet(
    table: FeatureTable,
    catalog: Catalog,
    path: Path,
    root: Path = Path(),
    queries: Sequence[int] | None = None,
    k: int = 5,
    seed: int = 0,
) -> Path:
    """Draw one row per query item: the item, then its k nearest with title and cosine; write a PNG.

    Args:
        table: the vectors; any modality, an item without a picture is drawn as its text.
        catalog: titles, texts and pictures of the same items in the same order.
        path: the PNG to write.
        root: folder that relative paths of pictures start from.
        queries: rows to show; None draws twelve at random, those with a picture first.
        k: neighbours per row.
        seed: of the random choice.
    """
    if queries is None:
        queries = _choose(table, catalog, 12, seed)
    if not len(queries) or int(table.present.sum()) < 2:
        raise FeatureError(
            f"{table.modality}: at least two items with vectors are needed for a contact sheet"
        )
    rows, cosines = nearest(table, queries, k)
    width, height = CELL + GAP, CELL + CAPTION + GAP
    sheet = Image.new("RGB", (GAP + width * (rows.shape[1] + 1) + GAP, GAP + height * len(queries)), "white")
    with quiet_pillow():
        for line, query in enumerate(queries):
            cells = [(int(query), None), *zip(rows[line].tolist(), cosines[line].tolist(), strict=True)]
            for column, (row, cosine) in enumerate(cells):
                left = GAP + width * column + (GAP if column else 0)
                _draw(sheet, (left, GAP + height * line), catalog, row, cosine, root)
    with atomic_path(path) as temporary:
        sheet.save(temporary, "PNG", optimize=True)
    return path


def _choose(table: FeatureTable, catalog: Catalog, n: int, seed: int) -> list[int]:
    present = np.flatnonzero(table.present)
    shown = np.array([picture is not None for picture in catalog.pictures])[present]
    pool = present[shown] if shown.any() else present
    picked = np.random.default_rng(seed).choice(pool, size=min(n, len(pool)), replace=False)
    return [int(row) for row in np.sort(picked)]


def _draw(
    sheet: Image.Image, corner: tuple[int, int], catalog: Catalog, row: int, cosine: float | None, root: Path
) -> None:
    draw = ImageDraw.Draw(sheet)
    left, top = corner
    frame = (left, top, left + CELL - 1, top + CELL - 1)
    picture = _picture(catalog.pictures[row], root)
    if picture is not None:
        picture.thumbnail((CELL, CELL))
        sheet.paste(picture, (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))
    else:
        draw.rectangle(frame, fill="#f6f6f6")
        words = textwrap.wrap(catalog.texts[row] or "no picture", 26)[:9]
        draw.multiline_text((left + 8, top + 8), "\n".join(words), fill=PALE, font=_font(11), spacing=4)
    draw.rectangle(frame, outline=INK if cosine is None else FRAME, width=3 if cosine is None else 1)
    said = "query" if cosine is None else f"cosine {cosine:.3f}"
    title = textwrap.shorten(catalog.titles[row], 26, placeholder="…")
    draw.text((left + 2, top + CELL + 4), title, fill=INK, font=_font(12))
    draw.text((left + 2, top + CELL + 21), said, fill=PALE, font=_font(11))


def _picture(source: str | None, root: Path) -> Image.Image | None:
    if source is None:
        return None
    try:
        return decode(read_bytes(source, root), at_least=CELL)
    except FeatureError:
        return None


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu Sans, which matplotlib carries: it knows more letters than Pillow's own."""
    from matplotlib import font_manager

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
