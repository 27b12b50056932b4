"""How the settings of a method were chosen: by a study that lies among the folders, or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irisrec.errors import count_of
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.reporting.words import seconds_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.tuning.folder import StudyFolder


@dataclass(frozen=True)
class Finding:
    """What a study of ``irisrec tune`` has chosen.

    Attributes:
        data: fingerprint of its data set.
        model: name of the model.
        modalities: that the model reads.
        options: {option: value} of its best trial.
        trials: finished ones.
        words: objective, its best value, and the time that the trials took.
    """

    data: str
    model: str
    modalities: tuple[str, ...]
    options: dict[str, Any]
    trials: int
    words: str

    def is_of(self, method: Method) -> bool:
        """Whether a method has the chosen values, on the same data."""
        run = method.runs[0]
        given = run.config.options()
        return (
            self.data == run.info.get("data_fingerprint")
            and self.model == method.model
            and self.modalities == _modalities(run.config)
            and all(option in given and given[option] == value for option, value in self.options.items())
        )


def studies_below(paths: Iterable[Path]) -> list[Finding]:
    """Read the studies in folders and anywhere below them; one that has chosen nothing (yet) says nothing."""
    files = dict.fromkeys(file.resolve() for path in paths for file in sorted(Path(path).rglob("study.json")))
    found = []
    for file in files:
        folder = StudyFolder(file.parent)
        study = folder.read_description()
        if best := study.get("best"):
            words = f"best {study['objective'].replace('ndcg', 'NDCG')} {best['value']:.4f}"
            words += f", {seconds_in_words(study['seconds'])}"
            modalities = _modalities(ExperimentConfig.load(folder.best))
            found.append(
                Finding(
                    study["data_fingerprint"],
                    study["model"],
                    modalities,
                    dict(best["options"]),
                    study["finished"],
                    words,
                )
            )
    return found


def _modalities(config: ExperimentConfig) -> tuple[str, ...]:
    return tuple(sorted(config.model.modalities_of(tuple(config.features))))


def chosen_by(method: Method, studies: Sequence[Finding]) -> str:
    """Say in brackets how the settings were chosen; the largest study counts where several agree."""
    own = [study for study in studies if study.is_of(method)]
    if not own:
        return "no study"
    best = max(own, key=lambda study: study.trials)
    return f"tuned in {count_of(best.trials, 'trial')}, {best.words}"
