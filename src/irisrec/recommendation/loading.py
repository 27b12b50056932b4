"""What recommending reads from a run folder: model, items, and who had what; little else, so that it begins at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.errors import RunError
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.models.storage import load_model
from irisrec.recommendation.history import as_numbers
from irisrec.recommendation.known import Had, HistoryTable, KnownUsers
from irisrec.sums import check_seal

if TYPE_CHECKING:
    from irisrec.features.encoders.base import Encoder

ITEMS, USERS, INTERACTIONS = "items.parquet", "users.parquet", "interactions.parquet"


def load_recommender(folder: Path, *, whole: bool = True) -> tuple[Scorer, Catalog, KnownUsers]:
    """Read model, catalog, users and everything the users had, held-out items included.

    Not ``whole``, only what somebody asks for is read: weights when they are used, of the interactions those of the
    first user. The folder must then stay as it is.
    """
    if not folder.is_dir():
        raise RunError(
            f"there is no run folder {folder}; make one with `irisrec train CONFIG --out {folder}`"
        )
    model, _ = load_model(folder, mapped=not whole)
    catalog = Catalog(read_sealed(folder / ITEMS))
    items = IdMap(catalog.frame["item_id"], "item")
    known = _known_users(folder, items)
    if whole:
        _ = known.table
    return model, catalog, known


def _known_users(folder: Path, items: IdMap) -> KnownUsers:
    users = IdMap(read_sealed(folder / USERS)["user_id"], "user")
    check_seal(folder / INTERACTIONS)

    def table() -> HistoryTable:
        pairs = _read(folder / INTERACTIONS)
        rows, columns = users.index(pairs["user_id"]), items.index(pairs["item_id"])
        return HistoryTable.of_pairs(len(users), rows, columns, len(items), _times(pairs))

    def alone(row: int) -> Had:
        pairs = _read(folder / INTERACTIONS, pl.col("user_id") == users.series[row])
        columns, times = items.index(pairs["item_id"]), _times(pairs)
        order = np.argsort(columns)
        return columns[order], None if times is None else times[order]

    return KnownUsers(users, table, alone)


def _times(pairs: pl.DataFrame) -> NDArray[np.float64] | None:
    return as_numbers(pairs["time"]) if "time" in pairs.columns else None


def load_run_encoders(folder: Path) -> dict[str, Encoder]:
    """Rebuild the encoders of a run, whose relative paths start from the data of its config, where it has one."""
    import tomllib

    from irisrec.features.saved import load_encoders

    try:
        config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        config = {}
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / 'config.toml'} cannot be read ({error})") from None
    return load_encoders(folder / "encoders", Path(config.get("data", {}).get("root", "")))


def read_sealed(path: Path) -> pl.DataFrame:
    """Read a Parquet file of a run folder that is what was written."""
    check_seal(path)
    return _read(path)


def _read(path: Path, rows: pl.Expr | None = None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if rows is None else pl.scan_parquet(path).filter(rows).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} cannot be read ({str(error).splitlines()[0]})") from None
