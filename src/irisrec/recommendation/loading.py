"""What recommending reads from a run folder: model, items, and who had what; little else, so that it begins at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.errors import RunError
from irisrec.features.encoders.base import Encoder
from irisrec.features.saved import load_encoders
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.models.storage import load_model
from irisrec.recommendation.history import as_numbers
from irisrec.recommendation.known import KnownUsers
from irisrec.sums import check_seal

ITEMS, USERS, INTERACTIONS = "items.parquet", "users.parquet", "interactions.parquet"


def load_recommender(folder: Path) -> tuple[Scorer, Catalog, KnownUsers]:
    """Read model, catalog, users and everything the users had, held-out items included."""
    if not folder.is_dir():
        raise RunError(
            f"there is no run folder {folder}; make one with `irisrec train CONFIG --out {folder}`"
        )
    model, _ = load_model(folder)
    catalog = Catalog(read_sealed(folder / ITEMS))
    users, items = (
        IdMap(read_sealed(folder / USERS)["user_id"], "user"),
        IdMap(catalog.frame["item_id"], "item"),
    )
    pairs = read_sealed(folder / INTERACTIONS)
    times = as_numbers(pairs["time"]) if "time" in pairs.columns else None
    rows, columns = users.index(pairs["user_id"]), items.index(pairs["item_id"])
    return model, catalog, KnownUsers.of_pairs(users, rows, columns, len(items), times)


def load_run_encoders(folder: Path) -> dict[str, Encoder]:
    """Rebuild the encoders of a run, whose relative paths start from the data of its config, where it has one."""
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
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} cannot be read ({str(error).splitlines()[0]})") from None
