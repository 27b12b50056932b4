"""The config of every run of a reproduction: as in the paper, or tuned; given runs have their own."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from irisrec.data.dataset import Dataset
from irisrec.experiments.config import ExperimentConfig, apply_override
from irisrec.experiments.paper.methods import Method
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.reporting.words import EXTENSIONS
from irisrec.models.config import ModelConfig
from irisrec.models.options import LEARN_USERS, OPTIONS

Mode = Literal["as-in-paper", "tuned", "given"]
MODES: tuple[Mode, ...] = get_args(Mode)

DIM = 64
PAPER_BATCH, K = 512, 4  # samples per step, negatives per positive

# Section IV.D. The paper names neither a number of epochs nor a patience, only that validation decides when to stop.
_PAPER_MODEL = {"dim": DIM, "hidden": 768, "alpha": 0.0, "beta": 0.8, "init_std": 0.01}
_PAPER_TRAINING = {
    "loss": "log",
    "epochs": 100,
    "patience": 5,
    "learning_rate": 0.001,
    "schedule": "constant",
    "negatives": "sampled",
    "n_negatives": K,
    "bias_start": "zero",
}
PAPER_OPTIONS = (*(f"model.{o}" for o in _PAPER_MODEL), *(f"training.{o}" for o in _PAPER_TRAINING))
# Ours and not the paper's: off in its tables unless they are asked for with an override.
OURS = tuple(EXTENSIONS)
# Where every study begins: our defaults, and a whole schedule, which beats stopping inside it (docs/experiments.md).
_TUNED_TRAINING = {"patience": 0}


def config_of(
    source: Source,
    method: Method,
    mode: Mode,
    options: Mapping[str, Any],
    overrides: Iterable[str],
    batch_users: int | None = None,
) -> ExperimentConfig:
    """Return the config of one run, with seed 0.

    Args:
        source: the data.
        method: of the paper.
        mode: as in the paper, or the start of a study.
        options: what the table asks for, such as ``model.dim``; they have the last word and are not tuned.
        overrides: of the user, ``section.key=value``; those of options that the model does not have are left out.
        batch_users: users per step in the paper's mode, see `users_per_step`; our default where not given.
    """
    values = copy.deepcopy(source.sections)
    model = _PAPER_MODEL if mode == "as-in-paper" else {}
    values["model"] = {"name": method.model} | {o: v for o, v in model.items() if o in OPTIONS[method.model]}
    values["training"] = dict(_PAPER_TRAINING if mode == "as-in-paper" else _TUNED_TRAINING)
    if batch_users is not None:
        values["training"]["batch_users"] = batch_users
    for override in overrides:
        if is_read(method.model, option_of(override)):
            apply_override(values, override)
    for name, value in {**method.options, **options}.items():
        section, _, key = name.partition(".")
        values.setdefault(section, {})[key] = value
    return ExperimentConfig.read(values)


def option_of(override: str) -> str:
    """Return the full name of the option that ``section.key=value`` sets."""
    return override.partition("=")[0].strip()


def is_read(model: str, option: str) -> bool:
    """Whether an option, where it is one at all, is one of this model."""
    section, _, key = option.partition(".")
    if section == "model":
        return key in OPTIONS[model] or key not in ModelConfig.model_fields
    return not (option == "training.history_dropout" and model in LEARN_USERS)


def users_per_step(dataset: Dataset) -> int:
    """Return how many users have as many samples as a step of the paper, positives and sampled negatives."""
    held_out = 2  # test and validation
    positives = max(dataset.n_interactions / dataset.n_users - held_out, 1)
    return max(1, round(PAPER_BATCH / (positives * (1 + K))))
