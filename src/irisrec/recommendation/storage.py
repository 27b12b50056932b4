"""What a recommender needs beside its model: the items, and who had what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.splits import Split
from irisrec.errors import RunError
from irisrec.files import atomic_path
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.models.storage import load_model

ITEMS, USERS, INTERACTIONS, NEGATIVES, CANDIDATES = (
    "items.parquet",
    "users.parquet",
    "interactions.parquet",
    "negatives.parquet",
    "candidates.parquet",
)
PARTS = ("train", "validation", "test")


def save_dataset(folder: Path, dataset: Dataset, split: Split) -> None:
    """Write catalog, users, and every interaction with the part of the split it belongs to."""
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


def load_split(folder: Path) -> tuple[Catalog, IdMap, Split]:
    """Read back catalog, users and split."""
    catalog = Catalog(_read(folder / ITEMS))
    users = IdMap(_read(folder / USERS)["user_id"], "user")
    items = IdMap(catalog.frame["item_id"], "item")
    pairs = _read(folder / INTERACTIONS)
    matrices = {part: _matrix(pairs.filter(pl.col("part") == part), users, items) for part in PARTS}
    has_negatives = (folder / NEGATIVES).exists()
    negatives = _matrix(_read(folder / NEGATIVES), users, items) if has_negatives else None
    known = pairs.filter(pl.col("part") == "history")
    histories = (matrices["train"] + _matrix(known, users, items)).tocsr() if len(known) else None
    candidates = _candidates(folder, items)
    return catalog, users, Split(**matrices, negatives=negatives, histories=histories, candidates=candidates)


def _candidates(folder: Path, items: IdMap) -> dict[str, NDArray[np.bool_]]:
    if not (folder / CANDIDATES).exists():
        return {}
    masks = {}
    for (part,), kept in _read(folder / CANDIDATES).group_by("part"):
        masks[str(part)] = np.zeros(len(items), bool)
        masks[str(part)][items.index(kept["item_id"])] = True
    return masks


def load_recommender(folder: Path) -> tuple[Scorer, Catalog, IdMap, csr_matrix]:
    """Read model, catalog, users and everything the users had, held-out items included."""
    if not folder.is_dir():
        raise RunError(
            f"there is no run folder {folder}; make one with `irisrec train CONFIG --out {folder}`"
        )
    model, _ = load_model(folder)
    catalog, users, split = load_split(folder)
    histories = (split.known_by + split.validation + split.test).tocsr()
    histories.sort_indices()
    return model, catalog, users, histories


def _pairs(matrix: csr_matrix, dataset: Dataset) -> pl.DataFrame:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    users = dataset.users.series.alias("user_id").gather(rows)
    items = dataset.items.series.alias("item_id").gather(matrix.indices.astype(np.int64))
    return pl.DataFrame([users, items])


def _matrix(pairs: pl.DataFrame, users: IdMap, items: IdMap) -> csr_matrix:
    return pairs_matrix(
        users.index(pairs["user_id"]), items.index(pairs["item_id"]), (len(users), len(items))
    )


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); the run folder is not complete"
        ) from None
