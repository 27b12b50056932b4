"""What a study leaves behind after every trial: the table of trials, the chosen config, and the facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.tuning.folder import StudyFolder
from irisrec.experiments.tuning.study import OBJECTIVE, Budget, Study
from irisrec.files import atomic_path


def save_outputs(
    folder: StudyFolder, config: ExperimentConfig, study: Study, budget: Budget
) -> dict[str, Any]:
    """Write ``trials.csv``, ``best.toml`` and ``study.json``; return what the last one holds.

    Args:
        folder: of the study.
        config: that the study began with.
        study: with at least one finished trial.
        budget: for the record.
    """
    frame, best = study.frame(), study.best
    with atomic_path(folder.trials) as temporary:
        frame.write_csv(temporary)
    chosen = None
    if best is not None:
        config.having(best.params).save(folder.best)
        chosen = {
            "trial": int(frame[OBJECTIVE].arg_max() or 0) + 1,
            "value": best.value,
            "epoch": best.user_attrs["epoch"],
            "options": best.params,
        }
    folder.update_description(
        model=config.model.name,
        objective=OBJECTIVE,
        budget={"trials": budget.trials, "seconds": budget.seconds},
        finished=study.n_finished,
        outcomes=dict(sorted(frame["outcome"].value_counts().iter_rows())),
        seconds=round(study.seconds, 1),
        best=chosen,
    )
    return folder.read_description()


def values_in_words(options: Mapping[str, Any]) -> str:
    """Name options with their values, without sections.

    >>> values_in_words({"model.dim": 64, "training.learning_rate": 0.0123456, "model.content_factors": True})
    'dim 64, learning_rate 0.01235, content_factors true'
    >>> values_in_words({"model.modalities": ["image", "text"]})
    'modalities image + text'
    """
    return ", ".join(f"{option.partition('.')[2]} {_plain(value)}" for option, value in options.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return " + ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
