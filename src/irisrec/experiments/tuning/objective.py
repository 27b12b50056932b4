"""One trial: fit a model on training items, judge it on validation items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from scipy.sparse import csr_matrix

from irisrec.errors import TrainingError
from irisrec.evaluation.evaluate import evaluate
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.run import Prepared, choosing, fit_model
from irisrec.training.checkpoints import Progress

IsHopeless = Callable[[int, float], bool]


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        outcome: ``judged``; ``pruned``, given up before its last epoch; ``diverged`` or ``out of memory``, with
            value 0.
        value: validation NDCG@10 over all items, of the best epoch.
        epoch: that epoch; 0 for a model without epochs.
    """

    outcome: str
    value: float = 0.0
    epoch: int = 0


class _HopelessError(Exception):
    """Ends the training of a trial."""


def without_test(prepared: Prepared) -> Prepared:
    """Take the test items away, so that no choice can rest on them; validation never reads them."""
    split = prepared.split
    return replace(prepared, split=replace(split, test=csr_matrix(split.test.shape), negatives=None))


def judge(config: ExperimentConfig, prepared: Prepared, checkpoint: Path, is_hopeless: IsHopeless) -> Outcome:
    """Fit a model and return its validation NDCG@10.

    Args:
        config: with the values of the trial.
        prepared: data without test items.
        checkpoint: what training leaves after every epoch, and goes on from.
        is_hopeless: told (tenths of the epochs, best value so far), whether to give up.
    """
    told: set[int] = set()

    def tell(progress: Progress) -> bool:
        news = [(tenth, value) for tenth, value in _by_tenths(progress, config) if tenth not in told]
        told.update(tenth for tenth, _ in news)
        answers = [is_hopeless(tenth, value) for tenth, value in news]
        return any(answers)

    def watch(progress: Progress) -> None:
        if tell(progress) and progress.epoch < config.training.epochs:
            raise _HopelessError(progress.best_value, progress.best_epoch)

    try:
        model, progress = fit_model(config, prepared, checkpoint, watch)
    except _HopelessError as end:
        return Outcome("pruned", *end.args)
    except TrainingError:
        return Outcome("diverged")
    except torch.OutOfMemoryError:
        return Outcome("out of memory")
    if progress.epochs:
        tell(progress)  # where a kill came between the last epoch and here
        return Outcome("judged", progress.best_value, progress.best_epoch)
    metrics = evaluate(model, prepared.split, choosing(config), part="validation").metrics["full"]
    return Outcome("judged", metrics["ndcg@10"])


def _by_tenths(progress: Progress, config: ExperimentConfig) -> list[tuple[int, float]]:
    """Return (tenths of the epochs that are over, best value until then) of a training so far.

    Trials train for different numbers of epochs, and their learning rates move with the share that is over: shares
    are what can be compared.
    """
    found: dict[int, float] = {}
    best = 0.0
    for record in progress.epochs:
        if "validation" in record:
            best = max(best, record["validation"]["ndcg@10"])
            found.setdefault(10 * record["epoch"] // config.training.epochs, best)
    return list(found.items())
