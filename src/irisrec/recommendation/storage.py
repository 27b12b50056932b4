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
from irisrec.recommendation.history import as_numbers
from irisrec.recommendation.known import KnownUsers
from irisrec.sums import check_seal, is_sealed, seal

ITEMS, USERS, INTERACTIONS, NEGATIVES, CANDIDATES = (
    "items.parquet",
    "users.parquet",
    "interactions.parquet",
    "negatives.parquet",
    "candidates.parquet",
)
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
    catalog = Catalog(_read(folder / ITEMS))
    users = IdMap(_read(folder / USERS)["user_id"], "user")
    items = IdMap(catalog.frame["item_id"], "item")
    pairs = _read(folder / INTERACTIONS)
    matrices = {part: _matrix(pairs.filter(pl.col("part") == part), users, items) for part in PARTS}
    has_negatives = is_sealed(folder / NEGATIVES)
    negatives = _matrix(_read(folder / NEGATIVES), users, items) if has_negatives else None
    known = pairs.filter(pl.col("part") == "history")
    histories = (matrices["train"] + _matrix(known, users, items)).tocsr() if len(known) else None
    candidates = _candidates(folder, items)
    return catalog, users, Split(**matrices, negatives=negatives, histories=histories, candidates=candidates)


def _candidates(folder: Path, items: IdMap) -> dict[str, NDArray[np.bool_]]:
    if not is_sealed(folder / CANDIDATES):
        return {}
    masks = {}
    for (part,), kept in _read(folder / CANDIDATES).group_by("part"):
        masks[str(part)] = np.zeros(len(items), bool)
        masks[str(part)][items.index(kept["item_id"])] = True
    return masks


def load_recommender(folder: Path) -> tuple[Scorer, Catalog, KnownUsers]:
    """Read model, catalog, users and everything the users had, held-out items included."""
    if not folder.is_dir():
        raise RunError(
            f"there is no run folder {folder}; make one with `irisrec train CONFIG --out {folder}`"
        )
    model, _ = load_model(folder)
    catalog = Catalog(_read(folder / ITEMS))
    users = IdMap(_read(folder / USERS)["user_id"], "user")
    return (
        model,
        catalog,
        _known_users(users, IdMap(catalog.frame["item_id"], "item"), _read(folder / INTERACTIONS)),
    )


def _known_users(users: IdMap, items: IdMap, pairs: pl.DataFrame) -> KnownUsers:
    rows, columns = users.index(pairs["user_id"]), items.index(pairs["item_id"])
    order = np.lexsort((columns, rows))
    bounds = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(users)))])
    ones = np.ones(len(pairs), np.float32)
    histories = csr_matrix((ones, columns[order], bounds), shape=(len(users), len(items)))
    return KnownUsers(users, histories, as_numbers(pairs["time"])[order] if "time" in pairs.columns else None)


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


def _read(path: Path) -> pl.DataFrame:
    check_seal(path)
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} cannot be read ({str(error).splitlines()[0]})") from None
