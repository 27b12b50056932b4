"""Explainable multimodal top-N recommendation: Multimodal IRIS and the item-similarity models around it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from irisrec.data.catalog import Catalog
    from irisrec.data.dataset import Dataset
    from irisrec.data.interactions import Interactions
    from irisrec.errors import IrisrecError
    from irisrec.experiments.config import ExperimentConfig
    from irisrec.experiments.run import evaluate_run, resume, train
    from irisrec.features.table import FeatureTable
    from irisrec.ids import IdMap
    from irisrec.recommendation.adding import NewItem
    from irisrec.recommendation.recommender import Recommender
    from irisrec.recommendation.results import Reason, Recommendation

# imported when first used: `irisrec --help` and small scripts need not wait for torch
_HOMES = {
    "Catalog": "irisrec.data.catalog",
    "Dataset": "irisrec.data.dataset",
    "ExperimentConfig": "irisrec.experiments.config",
    "FeatureTable": "irisrec.features.table",
    "IdMap": "irisrec.ids",
    "Interactions": "irisrec.data.interactions",
    "IrisrecError": "irisrec.errors",
    "NewItem": "irisrec.recommendation.adding",
    "Reason": "irisrec.recommendation.results",
    "Recommendation": "irisrec.recommendation.results",
    "Recommender": "irisrec.recommendation.recommender",
    "evaluate_run": "irisrec.experiments.run",
    "resume": "irisrec.experiments.run",
    "train": "irisrec.experiments.run",
}

__all__ = [
    "Catalog",
    "Dataset",
    "ExperimentConfig",
    "FeatureTable",
    "IdMap",
    "Interactions",
    "IrisrecError",
    "NewItem",
    "Reason",
    "Recommendation",
    "Recommender",
    "evaluate_run",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'irisrec' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
