"""FinishedRun: everything a report can tell about a run, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from irisrec.data.catalog import Catalog
from irisrec.data.splits import Split
from irisrec.errors import RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
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
        model: in evaluation mode, on the CPU.
        catalog, users, split: as they were for training.
    """

    folder: RunFolder
    config: ExperimentConfig
    info: dict[str, Any]
    evaluation: dict[str, Any]
    epochs: list[dict[str, Any]]
    model: Scorer
    catalog: Catalog
    users: IdMap
    split: Split

    @classmethod
    def load(cls, folder: RunFolder) -> Self:
        """Read a run folder; one whose run is not finished is an error."""
        folder.require()
        model, _ = load_model(folder.path)
        catalog, users, split = load_split(folder.path)
        evaluation = _read(folder.evaluation)
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
            epochs=_read(folder.metrics) or [],
            model=model,
            catalog=catalog,
            users=users,
            split=split,
        )


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error})") from None
