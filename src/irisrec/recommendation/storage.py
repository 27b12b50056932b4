"""The data of a run in its folder: items, users, and who had what in which part of the split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.split import Split
from irisrec.files import atomic_path
from irisrec.ids import IdMap
from irisrec.recommendation.loading import INTERACTIONS, ITEMS, USERS, read_sealed
from irisrec.sums import is_part, seal

NEGATIVES, CANDIDATES = "negatives.parquet", "candidates.parquet"
PARTS = ("train", "validation", "test")


def save_dataset(folder: Path, dataset: Dataset, split: Split) -> None:
    """Write catalog, users, and every interaction with its time and the part of the split it belongs to."""
    frames = {
        ITEMS: dataset.catalog.frame,
        USERS: dataset.users.series.alias("user_id").to_frame(),
        INTERACTIONS: pl.concat(
            [_pairs(getattr(split, part), dataset).with_columns(part=pl.lit(part)) for part in PARTS]
        ),
    }
    if split.histories is not None:
        known = (split.histories - split.train).tocsr()
        known.eliminate_zeros()
        more = _pairs(known, dataset).with_columns(part=pl.lit("history"))
        frames[INTERACTIONS] = pl.concat([frames[INTERACTIONS], more])
    if dataset.times is not None:
        frames[INTERACTIONS] = frames[INTERACTIONS].join(
            _times(dataset), on=["user_id", "item_id"], how="left", maintain_order="left"
        )
    if split.candidates:
        ids = dataset.items.series.alias("item_id")
        parts = {part: ids.filter(pl.Series(mask)) for part, mask in split.candidates.items()}
        frames[CANDIDATES] = pl.concat(
            [kept.to_frame().with_columns(part=pl.lit(part)) for part, kept in parts.items()]
        )
    if split.negatives is not None:
        frames[NEGATIVES] = _pairs(split.negatives, dataset)
    for name, frame in frames.items():
        with atomic_path(folder / name) as temporary:
            frame.write_parquet(temporary)
    seal(*(folder / name for name in frames))


def load_split(folder: Path) -> tuple[Catalog, IdMap, Split]:
    """Read back catalog, users and split."""
    catalog = Catalog(read_sealed(folder / ITEMS))
    users = IdMap(read_sealed(folder / USERS)["user_id"], "user")
    items = IdMap(catalog.frame["item_id"], "item")
    pairs = read_sealed(folder / INTERACTIONS)
    matrices = {part: _matrix(pairs.filter(pl.col("part") == part), users, items) for part in PARTS}
    has_negatives = is_part(folder / NEGATIVES)
    negatives = _matrix(read_sealed(folder / NEGATIVES), users, items) if has_negatives else None
    known = pairs.filter(pl.col("part") == "history")
    histories = (matrices["train"] + _matrix(known, users, items)).tocsr() if len(known) else None
    candidates = _candidates(folder, items)
    return catalog, users, Split(**matrices, negatives=negatives, histories=histories, candidates=candidates)


def _candidates(folder: Path, items: IdMap) -> dict[str, NDArray[np.bool_]]:
    if not is_part(folder / CANDIDATES):
        return {}
    masks = {}
    for (part,), kept in read_sealed(folder / CANDIDATES).group_by("part"):
        masks[str(part)] = np.zeros(len(items), bool)
        masks[str(part)][items.index(kept["item_id"])] = True
    return masks


def _times(dataset: Dataset) -> pl.DataFrame:
    """Return when each pair was; no pair stands twice in a data set."""
    return pl.DataFrame(
        [
            dataset.users.series.alias("user_id").gather(dataset.user_index),
            dataset.items.series.alias("item_id").gather(dataset.item_index),
            pl.Series("time", dataset.times),
        ]
    )


def _pairs(matrix: csr_matrix, dataset: Dataset) -> pl.DataFrame:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    users = dataset.users.series.alias("user_id").gather(rows)
    items = dataset.items.series.alias("item_id").gather(matrix.indices.astype(np.int64))
    return pl.DataFrame([users, items])


def _matrix(pairs: pl.DataFrame, users: IdMap, items: IdMap) -> csr_matrix:
    return pairs_matrix(
        users.index(pairs["user_id"]), items.index(pairs["item_id"]), (len(users), len(items))
    )
