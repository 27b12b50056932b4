"""load_dataset, the door through which all data come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from irisrec.data.config import DataConfig
from irisrec.data.dataset import Dataset
from irisrec.data.sources.amazon import load_amazon_2014, load_amazon_2023
from irisrec.data.sources.movielens import load_movielens
from irisrec.data.sources.ncf import load_ncf
from irisrec.data.sources.pictures import with_pictures
from irisrec.data.sources.recbole import load_recbole
from irisrec.data.sources.tables import Loaded, load_tables

_SOURCES: dict[str, Callable[[DataConfig], Loaded]] = {
    "tables": load_tables,
    "movielens": load_movielens,
    "amazon-2014": load_amazon_2014,
    "amazon-2023": load_amazon_2023,
    "recbole": load_recbole,
    "ncf": load_ncf,
}


def load_dataset(config: DataConfig) -> Dataset:
    """Read, filter and index the data that a config describes; the notes of the result say what was done.

    Raises:
        DataError: files, columns or values that cannot be used, in one sentence.
    """
    if config.source == "shop":
        from irisrec.data.planted import load_shop  # draws pictures: not needed for other sources

        return load_shop(config.root.expanduser(), config.shop, config.filters)
    loaded = _SOURCES[config.source](config)
    dataset = Dataset.build(loaded.interactions, loaded.catalog, config.filters, loaded.notes)
    if (pictures := _pictures(config, dataset)) is None:
        return dataset
    catalog, notes = with_pictures(dataset.catalog, pictures, config.root)
    return replace(dataset, catalog=catalog, notes=(*dataset.notes, *notes))


def _pictures(config: DataConfig, dataset: Dataset) -> str | None:
    if config.pictures is not None:
        return config.pictures
    if config.source == "movielens" and (config.root.expanduser() / "posters").is_dir():
        return "posters/{item_id}.jpg"
    return "picture" if dataset.catalog.frame["picture"].count() else None
