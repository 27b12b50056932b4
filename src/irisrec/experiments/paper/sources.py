"""The data sets of a reproduction: known folders, or the data sections of a config."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.dataset import Dataset
from irisrec.data.load import load_dataset
from irisrec.errors import ConfigError, closest
from irisrec.experiments.config import ExperimentConfig, read_toml
from irisrec.experiments.reporting.words import data_in_words

Sections = dict[str, Any]
_OF_DATA = ("data", "split", "features", "evaluation")
IMAGE, TEXT = {"encoder": "colour-hog"}, {"encoder": "doc2vec"}  # need no downloaded weights


@dataclass(frozen=True)
class Source:
    """A data set of a reproduction.

    Attributes:
        name: of `KINDS`.
        words: what people call it.
        sections: of every config on these data: data, split, features, evaluation.
    """

    name: str
    words: str
    sections: Sections

    @property
    def plays(self) -> str:
        """Which data set of the paper it is, or stands in for."""
        return KINDS[self.name].plays

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that have an encoder."""
        return tuple(self.sections.get("features", {}))

    def load(self) -> Dataset:
        """Read the data."""
        return load_dataset(ExperimentConfig.read(self.sections).data)


@dataclass(frozen=True)
class Kind:
    """A data set that can be given: what it is called, whose place it takes, its files, how its folder is read."""

    words: str
    plays: str
    files: tuple[str, ...]
    read: Callable[[Path], Sections]


def read_source(given: str) -> Source:
    """Read ``NAME=FOLDER``, or ``NAME=CONFIG.toml`` for the data sections of any config.

    The name may be left out of a folder whose files tell what it is.
    """
    name, equals, where = given.partition("=")
    if not equals:
        name, where = _guessed(Path(given).expanduser()), given
    if not name or not where:
        raise ConfigError(
            f"--data needs NAME=FOLDER or NAME=CONFIG.toml with one of {', '.join(KINDS)} as name, got {given!r}"
        )
    if name not in KINDS:
        raise ConfigError(f"--data knows {', '.join(KINDS)}, got {name!r}{closest(name, KINDS)}")
    path = Path(where).expanduser().absolute()
    if path.suffix == ".toml":
        values = read_toml(path)
        sections = {section: values[section] for section in _OF_DATA if section in values}
        return Source(name, data_in_words(ExperimentConfig.read(sections).data), sections)
    if not path.is_dir():
        raise ConfigError(f"--data {name} needs a folder or a config that is there, got {path}")
    return Source(name, KINDS[name].words, KINDS[name].read(path))


def _guessed(folder: Path) -> str:
    """Return which data set lies in a folder, empty where its files do not tell."""
    for name, kind in KINDS.items():
        if folder.is_dir() and all(any(folder.glob(pattern)) for pattern in kind.files):
            return name
    return ""


def chosen_sources(sources: Sequence[Source], plays: str) -> list[Source]:
    """Return the given data sets that are a data set of the paper or stand in for it."""
    return [source for source in sources if source.plays == plays]


def _movielens(root: Path) -> Sections:
    """Movies whose plot comes from the main source of ``plots.csv``; posters as that file or their folder has them."""
    data: Sections = {"source": "movielens", "root": str(root)}
    features: Sections = {}
    plots = root / "plots.csv"
    columns: list[str] = []
    if plots.is_file():
        table = pl.read_csv(plots, infer_schema=False)
        columns, features["text"] = table.columns, TEXT
        if "plot_source" in columns and (known := table["plot_source"].drop_nulls()).len():
            data["filters"] = {"catalog": {"plot_source": known.mode().sort().first()}}
    if "poster" in columns:
        data["pictures"] = "poster"
    elif (root / "posters").is_dir():
        data["pictures"] = "posters/{item_id}.jpg"
    if "pictures" in data:
        features["image"] = IMAGE
    return {"data": data, "features": features}


def _amazon(root: Path) -> Sections:
    """Pictures as collected, else the published picture features of the items."""
    features: Sections = {"text": TEXT}
    if (root / "pictures").is_dir():
        features["image"] = IMAGE
    elif (root / "image_features.npy").is_file():
        features["image"] = {
            "encoder": "vectors",
            "path": "image_features.npy",
            "ids": "image_features.ids.txt",
        }
    return {"data": {"source": "amazon-2014", "root": str(root)}, "features": features}


def _hm(root: Path) -> Sections:
    """Purchases as ``interactions.parquet``, articles as ``items.csv`` with a photo for each."""
    columns = {
        "user": "user_id",
        "item": "item_id",
        "time": "date",
        "item_id": "item_id",
        "title": "title",
        "text": "text",
    }
    data = {
        "source": "tables",
        "root": str(root),
        "interactions": "interactions.parquet",
        "items": "items.csv",
        "pictures": "images/{item_id}.jpg",
        "columns": columns,
    }
    return {"data": data, "features": {"image": IMAGE, "text": TEXT}}


KINDS = {
    "movielens": Kind("MovieLens-1M", "movielens", ("movies.dat",), _movielens),
    "amazon": Kind("Amazon Clothing, Shoes & Jewelry", "amazon", ("reviews_*.json*",), _amazon),
    "hm": Kind("H&M purchases", "amazon", ("interactions.parquet", "items.csv", "images"), _hm),
}
