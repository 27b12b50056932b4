"""Runs that were trained before: which of them a row of the paper's tables is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from irisrec.data.dataset import Dataset
from irisrec.errors import RunError, listed
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.paper.methods import Method
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import additions
from irisrec.experiments.results.method import Method as TrainedMethod
from irisrec.experiments.results.section import Section, finished_runs, sections_of
from irisrec.experiments.tuning.output import values_in_words


class NotGivenError(RunError):
    """None of the given runs is what a row is about."""


@dataclass(frozen=True)
class GivenRuns:
    """Finished runs to make tables of, without training any.

    Attributes:
        sections: by data set and split.
    """

    sections: tuple[Section, ...]

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Self:
        """Read run folders, and those that lie anywhere below other folders; see `finished_runs`."""
        return cls(tuple(sections_of(finished_runs(paths))))

    def find(self, dataset: Dataset, method: Method, options: Mapping[str, Any]) -> TrainedMethod:
        """Return the one method among the runs on a data set that is a method of the paper with these options.

        Runs with extensions that are not the paper's are never meant.

        Raises:
            NotGivenError: there is none.
            RunError: there are several, or the runs on the data are of several splits.
        """
        sections = [s for s in self.sections if s.runs[0].info.get("data_fingerprint") == dataset.fingerprint]
        if len(sections) > 1:
            raise RunError(
                f"the given runs on these data are of {len(sections)} splits: "
                f"{listed([s.runs[0].folder.path.name for s in sections])}; give those of one"
            )
        wanted = {**method.options, **options}
        found = [m for s in sections for m in s.methods if _is_meant(m.runs[0], method.model, wanted)]
        if not found:
            words = f" with {values_in_words(_plain(wanted))}" if wanted else ""
            raise NotGivenError(f"none of the given runs on these data is {method.name}{words}")
        if len(found) > 1:
            raise RunError(
                f"{len(found)} of the given runs could be {method.name}: {_named(found)}; give one of them"
            )
        return found[0]


def _plain(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Name an encoder by its model, where it has one."""
    return {
        option: value.get("model") or value["encoder"] if isinstance(value, Mapping) else value
        for option, value in wanted.items()
    }


def _named(found: Iterable[TrainedMethod]) -> str:
    return listed([f"{one.name} in {one.runs[0].folder.path}" for one in found])


def _is_meant(run: FinishedRun, model: str, wanted: Mapping[str, Any]) -> bool:
    config = run.config
    return (
        config.model.name == model
        and not additions(config.model)
        and all(_has(config, option, value) for option, value in wanted.items())
    )


def _has(config: ExperimentConfig, option: str, value: Any) -> bool:
    if option == "model.modalities":
        return set(config.model.modalities_of(tuple(config.features))) == set(value)
    if option == "features.text":
        own = config.features.get("text", {})
        return all(own.get(name) == value.get(name) for name in ("encoder", "model"))
    return bool(config.options().get(option) == value)
