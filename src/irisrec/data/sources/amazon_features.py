"""The binary picture features of Amazon 2014: ten bytes of id and 4,096 numbers per product, many gigabytes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from irisrec.errors import DataError, count_of
from irisrec.files import atomic_path, write_text
from irisrec.notes import Note
from irisrec.progress import progress

WIDTH = 4096
RECORD = np.dtype([("id", "S10"), ("vector", "<f4", (WIDTH,))])
MB = 1_000_000


def find_image_features(folder: Path) -> Path:
    """Return the one ``image_features_CATEGORY.b`` of a folder."""
    paths = sorted(folder.glob("image_features_*.b"))
    if len(paths) != 1:
        found = ", ".join(path.name for path in paths) or "none"
        raise DataError(
            f"{folder} should hold one image_features_CATEGORY.b, found {found}; name it with --file"
        )
    return paths[0]


def read_image_features(
    path: Path, wanted: Iterable[str], records: int = 512
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Stream the vectors of the wanted items: ids and an array (n, 4096), in the order of the file.

    Args:
        path: an ``image_features_CATEGORY.b`` file.
        wanted: ids of items; all others are passed over.
        records: products in memory at a time, 16,394 bytes each.
    """
    size = path.stat().st_size
    if not size or size % RECORD.itemsize:
        raise DataError(
            f"{path} must hold whole records of {RECORD.itemsize:,} bytes, its {size:,} bytes leave "
            f"{size % RECORD.itemsize:,} over; fetch it again"
        )
    ids = np.array(sorted(set(wanted)), "S10")
    with path.open("rb") as file, progress(f"{path.name} (MB)", size // MB) as task:
        while data := file.read(records * RECORD.itemsize):
            block = np.frombuffer(data, RECORD)
            found = block[np.isin(block["id"], ids)]
            if len(found):
                yield (
                    [id.decode("ascii", "replace") for id in found["id"]],
                    found["vector"].astype(np.float32),
                )
            task.advance(len(data) // MB)


def save_image_features(path: Path, wanted: Sequence[str], to: Path) -> list[Note]:
    """Write the vectors of the wanted items as ``to`` (.npy) and their ids, one per line, as ``to`` with .ids.txt.

    Memory stays bounded; of an item that stands twice the first vector holds, and vectors that are not finite are
    left out. Both are counted, as are the items without a vector.
    """
    distinct = list(dict.fromkeys(wanted))
    kept: dict[str, None] = {}
    broken: list[str] = []
    with atomic_path(to) as temporary, temporary.open("wb") as file:
        _write_header(file, 0)
        for ids, block in read_image_features(path, distinct):
            for id, vector in zip(ids, block, strict=True):
                if id in kept:
                    continue
                if not np.isfinite(vector).all():
                    broken.append(id)
                    continue
                file.write(vector.tobytes())
                kept[id] = None
        if not kept:
            raise DataError(
                f"{path} has a vector for none of the {count_of(len(distinct), 'item')} asked for"
            )
        file.seek(0)
        _write_header(file, len(kept))
    write_text(to.with_suffix(".ids.txt"), "".join(f"{id}\n" for id in kept))
    return _notes(distinct, kept, broken)


def _write_header(file: IO[bytes], rows: int) -> None:
    """Write the head of an array file; numpy pads it, so that its length does not depend on the rows."""
    write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, WIDTH)})


def _notes(wanted: Sequence[str], kept: dict[str, None], broken: list[str]) -> list[Note]:
    notes = [
        Note.of("image_features", len(kept), f"{count_of(len(kept), 'item')} with picture features written")
    ]
    if broken:
        sentence = f"{count_of(len(broken), 'vector')} with numbers that are not finite left out"
        notes.append(Note.of("vectors_not_finite", len(broken), sentence, broken, warning=True))
    absent = [id for id in wanted if id not in kept]
    if absent:
        sentence = f"{count_of(len(absent), 'item')} without picture features"
        notes.append(Note.of("without_image_features", len(absent), sentence, absent))
    return notes
