"""FinishedRun: everything a report can tell about a run, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.data.splits import Split
from irisrec.errors import RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder, read_frame
from irisrec.experiments.reporting.words import model_in_words
from irisrec.files import read_json
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.models.storage import load_model
from irisrec.recommendation.storage import load_split


@dataclass(frozen=True)
class FinishedRun:
    """A run that was trained and judged.

    Attributes:
        folder: where it lies.
        config: resolved.
        info: ``run.json``.
        evaluation: ``evaluation.json``.
        epochs: ``metrics.json``; empty for a model without epochs.

    The model, the items, the users and the split are read when they are first asked for.
    """

    folder: RunFolder
    config: ExperimentConfig
    info: dict[str, Any]
    evaluation: dict[str, Any]
    epochs: list[dict[str, Any]]

    @classmethod
    def load(cls, folder: RunFolder) -> Self:
        """Read a run folder; one whose run is not finished is an error."""
        folder.require()
        evaluation = read_if_there(folder.evaluation)
        if evaluation is None:
            raise RunError(
                f"{folder.path} is not evaluated yet ({folder.evaluation.name} is missing); "
                f"finish it with `irisrec train --resume {folder.path}`"
            )
        return cls(
            folder=folder,
            config=ExperimentConfig.load(folder.config),
            info=folder.read_info(),
            evaluation=evaluation,
            epochs=read_if_there(folder.metrics) or [],
        )

    @property
    def name(self) -> str:
        """The name that papers use for its model."""
        return model_in_words(self.config.model.name)

    @cached_property
    def model(self) -> Scorer:
        """The trained model, in evaluation mode, on the CPU."""
        return load_model(self.folder.path)[0]

    @property
    def catalog(self) -> Catalog:
        """The items, in the order of training."""
        return self._data[0]

    @property
    def users(self) -> IdMap:
        """The users, in the order of training."""
        return self._data[1]

    @property
    def split(self) -> Split:
        """What was held out."""
        return self._data[2]

    @cached_property
    def _data(self) -> tuple[Catalog, IdMap, Split]:
        return load_split(self.folder.path)

    @cached_property
    def frames(self) -> dict[str, pl.DataFrame]:
        """Every user's metrics, those of popularity first: the least that has to be beaten."""
        frames = {self.name: self.folder.read_per_user()}
        beside = self.folder.per_user_popularity
        if self.config.model.name == "popularity" or not beside.exists():
            return frames
        return {model_in_words("popularity"): read_frame(beside)} | frames


def read_if_there(path: Path) -> Any:
    """Read a JSON file of a run, None where there is none."""
    try:
        return read_json(path)
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error})") from None
