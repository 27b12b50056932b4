"""The built-in shop as ordinary files, written once per set of options."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset, Filters
from irisrec.data.interactions import Interactions
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.shop import Shop, shop_from
from irisrec.errors import DataError
from irisrec.files import read_json, sha256, write_json
from irisrec.progress import progress

VERSION = 3  # raised whenever the same options give other files


def write_shop(shop: Shop, folder: Path) -> Shop:
    """Write the shop to a folder; see `Shop.write`."""
    items = shop.catalog.frame["item_id"].to_list()
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    names = [f"pictures/{item}.png" for item in items]
    with progress("drawing the built-in shop", len(items)) as task:
        for name, picture in zip(names, shop.pictures, strict=True):
            picture.save(folder / name)
            task.advance()
    frame = shop.catalog.frame.with_columns(pl.Series("picture", names))
    frame.write_csv(folder / "items.csv")
    shop.interactions.frame.write_csv(folder / "interactions.csv")
    shop.causes.write_csv(folder / "causes.csv")
    shop.interests.write_csv(folder / "interests.csv")
    write_json(folder / "shop.json", _stamp(shop.options))
    return replace(shop, catalog=_with_paths(frame, folder))


def load_shop(
    root: Path, options: ShopOptions | Mapping[str, Any], filters: Filters | None = None
) -> Dataset:
    """Read the shop that the options describe; write it under ``root`` first where it is not there yet.

    Each set of options has its own folder ``shop-…``, which appears whole or not at all, so that several runs can
    share a root.
    """
    if not isinstance(options, ShopOptions):
        options = ShopOptions.read(options, "data.shop")
    stamp = _stamp(options)
    folder = Path(root) / f"shop-{sha256(repr(sorted(stamp.items())))[:10]}"
    if not (folder / "shop.json").exists():
        _write_whole(options, folder)
    if read_json(folder / "shop.json") != stamp:
        raise DataError(
            f"{folder} holds another shop than its name says; delete the folder to have it drawn again"
        )
    interactions = Interactions(pl.read_csv(folder / "interactions.csv"))
    catalog = _with_paths(pl.read_csv(folder / "items.csv"), folder)
    return Dataset.build(interactions, catalog, filters)


def _write_whole(options: ShopOptions, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write_shop(shop_from(options), draft)
        draft.chmod(0o755)
        os.replace(draft, folder)
    except OSError:
        if not (folder / "shop.json").exists():  # otherwise another process was faster, with the same files
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _stamp(options: ShopOptions) -> dict[str, int | float]:
    return {"version": VERSION, **options.model_dump()}


def _with_paths(frame: pl.DataFrame, folder: Path) -> Catalog:
    paths = [str(folder / name) for name in frame["picture"]]
    return Catalog.of(frame.with_columns(pl.Series("picture", paths)))
