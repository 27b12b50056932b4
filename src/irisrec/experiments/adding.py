"""Items added to a run: a table of them in, a run folder with them out, nothing trained."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch

from irisrec.data.catalog import RESERVED, Catalog
from irisrec.data.config import Columns, TableFile
from irisrec.data.sources.pictures import with_pictures
from irisrec.data.sources.reading import Table, read_table
from irisrec.data.sources.tables import USUAL, catalog_of
from irisrec.data.sources.values import read_ids
from irisrec.data.sources.vectors import load_vectors
from irisrec.errors import DataError, FeatureError, count_of, listed, some
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.run import tell
from irisrec.features.encoders.base import Encoder
from irisrec.files import sha256, write_json
from irisrec.ids import IdMap
from irisrec.models.growing import require_growing
from irisrec.models.storage import load_features, save_features, save_model
from irisrec.progress import say
from irisrec.recommendation.adding import NewItem, NewRows
from irisrec.recommendation.loading import INTERACTIONS, ITEMS, USERS
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.storage import CANDIDATES, NEGATIVES
from irisrec.sums import check_seal, seal


def add_items(
    run: Path,
    items: Path,
    out: Path,
    pictures: str | None = None,
    vectors: Mapping[str, Path] | None = None,
    root: Path | None = None,
) -> Recommender:
    """Write a run folder with more items, and return its recommender; the old folder stays as it is.

    The folder holds what recommending needs, and no judgement of the old catalog. It is whole or not there.

    Args:
        run: a finished run whose model can take new items.
        items: a table of the new items, its columns named as in the run's config; a text file's values become of the
            type that the catalog's are.
        out: new folder.
        pictures: where their pictures are, as ``data.pictures``; by default what the run's config says.
        vectors: {modality: ``.npz`` or ``.parquet``} with ready vectors.
        root: folder that paths of pictures start from; by default that of the table.

    Raises:
        IrisrecError: items that cannot be added, in one sentence; then nothing is written.
    """
    folder, target = RunFolder(Path(run)), RunFolder(Path(out))
    folder.require()
    recommender = Recommender.load(folder.path, prepare=False)
    require_growing(recommender.model)
    config = ExperimentConfig.load(folder.config)
    new = _read(config, recommender, Path(items), pictures, vectors or {}, root)
    grown = recommender.add_items(new)
    target.create()
    unfinished = target.path.with_name(f".{target.path.name}.{os.getpid()}.partial")
    try:
        unfinished.mkdir()
        _write(folder, RunFolder(unfinished), grown, new)
        unfinished.replace(target.path)  # an empty folder gives way
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        target.path.rmdir()
        raise
    say(f"{count_of(len(new.catalog), 'item')} added to {len(recommender.items):,}: {target.path}")
    return grown


def _read(
    config: ExperimentConfig,
    recommender: Recommender,
    items: Path,
    pictures: str | None,
    vectors: Mapping[str, Path],
    root: Path | None,
) -> NewRows:
    root = items.parent if root is None else root
    table = read_table(items.parent, TableFile(path=items.name), "the table of new items")
    columns = _as_far_as_there(config.data.columns.over(USUAL), table)
    assert columns.item_id
    (ids,), _ = read_ids(
        [(table, table.column(columns.item_id, "data.columns.item_id"))], recommender.items.kind, "item"
    )
    catalog, notes = catalog_of(table, ids, columns)
    tell(notes)
    if any(encoder.input == "picture" for encoder in recommender.encoders.values()):
        catalog = _with_pictures(catalog, pictures, config.data.pictures, root)
    catalog = _typed_as(recommender.catalog, catalog)
    contents = {
        name: _contents(name, encoder, catalog, vectors)
        for name, encoder in recommender.encoders.items()
        if encoder.input != "columns" or name in vectors
    }
    if unknown := [name for name in vectors if name not in contents]:
        raise FeatureError(
            f"vectors are given for {some(unknown)}, the run has {listed(list(recommender.encoders))}"
        )
    others = [
        name for name in catalog.frame.columns if name in recommender.catalog.frame and name not in RESERVED
    ]
    return recommender.read_new_items(
        [
            NewItem(
                row["item_id"],
                row["title"],
                {name: found[place] for name, found in contents.items()},
                {name: row[name] for name in others},
            )
            for place, row in enumerate(catalog.frame.iter_rows(named=True))
        ],
        root,
    )


def _as_far_as_there(columns: Columns, table: Table) -> Columns:
    """Leave out title and text where the table has no such column."""
    named = {"title": columns.title, "text": columns.text}
    missing = {
        what: name for what, name in named.items() if isinstance(name, str) and name not in table.columns
    }
    for what, name in missing.items():
        say(f"the new items have no column {name!r}, and no {what}")
    return columns.model_copy(update=dict.fromkeys(missing))


def _with_pictures(catalog: Catalog, asked: str | None, usual: str | None, root: Path) -> Catalog:
    """Find the pictures where they were said to be; the place in the run's config need not fit new items."""
    if asked is None and catalog.frame["picture"].count():
        asked = "picture"
    if asked is not None:
        catalog, notes = with_pictures(catalog, asked, root)
        tell(notes)
    elif usual is not None:
        try:
            catalog, notes = with_pictures(catalog, usual, root)
            tell(notes)
        except DataError as error:
            say(f"the new items have no pictures: {error}; or say --pictures and --root")
    return catalog


def _typed_as(old: Catalog, new: Catalog) -> Catalog:
    """Give the columns the types of the old catalog, and leave out those that it does not have."""
    types = old.frame.schema
    unknown = [name for name in new.frame.columns if name not in types]
    vectors = [name for name in unknown if isinstance(new.frame[name].dtype, pl.List | pl.Array)]
    if strange := [name for name in unknown if name not in vectors]:
        say(f"{count_of(len(strange), 'column')} that the catalog does not have left out: {some(strange)}")
    columns = []
    for column in new.frame.drop(unknown):
        try:
            columns.append(column.cast(types[column.name]))
        except pl.exceptions.PolarsError:
            raise DataError(
                f"column {column.name!r} of the new items must be like the catalog's, {types[column.name]}, got "
                f"{column.dtype} ({some(column.drop_nulls().head(2))})"
            ) from None
    return Catalog.of(pl.DataFrame(columns).hstack(new.frame.select(vectors)))


def _contents(name: str, encoder: Encoder, catalog: Catalog, vectors: Mapping[str, Path]) -> list[Any]:
    """Return the content of a modality of each item, None where it has none."""
    ids = IdMap(catalog.frame["item_id"], "item")
    if name in vectors:
        given, values = load_vectors(vectors[name], id_type=ids.kind)
        rows = given.lookup(ids.series)
        if not (rows >= 0).any():
            raise FeatureError(
                f"{name}: none of the {len(ids):,} new items has a vector in {vectors[name].name}; items are such as "
                f"{some(ids.series.head(2))}, the vectors are of {some(given.series.head(2))}"
            )
        return [values[row] if row >= 0 else None for row in rows]
    column = name if encoder.input == "vectors" else encoder.settings.source or encoder.input
    if column not in catalog.frame:
        return [None] * len(catalog)
    found: list[Any] = catalog.frame[column].to_list()
    return [None if value == "" else value for value in found]


def _write(old: RunFolder, new: RunFolder, grown: Recommender, rows: NewRows) -> None:
    shutil.copy2(old.config, new.config)
    shutil.copytree(old.encoders, new.encoders)
    for name in (USERS, INTERACTIONS, NEGATIVES, CANDIDATES):
        if (old.path / name).exists():
            check_seal(old.path / name)
            shutil.copy2(old.path / name, new.path / name)
            seal(new.path / name)
    grown.catalog.frame.write_parquet(new.path / ITEMS)
    seal(new.path / ITEMS)
    features, present = load_features(old.path)
    model = require_growing(grown.model)
    save_features(
        new.path,
        {name: torch.cat([features[name], values]) for name, values in rows.features.items()},
        {name: torch.cat([present[name], mask]) for name, mask in rows.present.items()},
        model.scalers,
    )
    save_model(new.path, model, model.config)
    info = old.read_info()
    ids = rows.catalog.frame["item_id"].to_list()
    changed = {
        # that a resumed training finds data it was not begun with
        "data_fingerprint": sha256(str(info.get("data_fingerprint")), rows.fingerprint),
        "added_items": [*info.get("added_items", []), {"items": len(ids), "first": ids[:3]}],
    }
    write_json(new.info, info | changed)
