"""Method: one model with one set of options, trained with several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from irisrec.errors import RunError
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import additions, method_in_words
from irisrec.experiments.seeds import OverSeeds
from irisrec.experiments.tuning.output import values_in_words

_NO_SETTING = {"training.seed", "training.device", "training.fuse"}  # they move no number but by chance


@dataclass(frozen=True)
class Method(OverSeeds):
    """Finished runs that differ in their seeds alone, in the order of these.

    Attributes:
        name: unlike that of every other method on the same page and data.
        runs: at least one.
    """

    name: str
    runs: tuple[FinishedRun, ...]

    @property
    def model(self) -> str:
        """The name of the model in configs."""
        return self.runs[0].config.model.name

    @property
    def has_additions(self) -> bool:
        """Whether the model has something of ours that its paper does not know."""
        return bool(additions(self.runs[0].config.model))

    @property
    def run_folders(self) -> tuple[RunFolder, ...]:
        """The folders of the runs."""
        return tuple(run.folder for run in self.runs)

    @property
    def lists(self) -> dict[str, float]:
        """What the lists of all users together are like, averaged over the seeds."""
        found = [run.evaluation.get("lists") or {} for run in self.runs]
        return {
            name: mean(one[name] for one in found) for name in found[0] if all(name in one for one in found)
        }

    @property
    def is_iris(self) -> bool:
        """Whether it is a model of the paper, or one with our additions."""
        return "iris" in self.model


def settings_of(run: FinishedRun) -> dict[str, Any]:
    """Return the options that make a method what it is: of the model, its training and the features it reads."""
    config = run.config
    read = config.model.modalities_of(tuple(config.features))
    sections = ("model.", *(["training."] if run.epochs else []), *(f"features.{name}." for name in read))
    found = {o: v for o, v in config.options().items() if o.startswith(sections) and o not in _NO_SETTING}
    return found | ({"model.modalities": sorted(read)} if read else {})


def methods_of(runs: Sequence[FinishedRun]) -> list[Method]:
    """Group runs on one data set by method.

    Raises:
        RunError: two runs of one method with the same seed.
    """
    groups: dict[str, list[FinishedRun]] = {}
    for run in runs:
        groups.setdefault(repr(sorted(settings_of(run).items())), []).append(run)
    found = [_by_seed(group) for group in groups.values()]
    plain = [method_in_words(group[0].config.model) for group in found]
    return [
        Method(_told_apart(name, group, [g for g, n in zip(found, plain, strict=True) if n == name]), group)
        for name, group in zip(plain, found, strict=True)
    ]


def _by_seed(runs: list[FinishedRun]) -> tuple[FinishedRun, ...]:
    by_seed: dict[int, FinishedRun] = {}
    for run in runs:
        seed = run.config.training.seed
        if other := by_seed.get(seed):
            raise RunError(
                f"{other.folder.path} and {run.folder.path} are the same method with the same seed {seed}; "
                "leave one out, or train it with another training.seed"
            )
        by_seed[seed] = run
    return tuple(by_seed[seed] for seed in sorted(by_seed))


def _told_apart(name: str, runs: tuple[FinishedRun, ...], namesakes: list[tuple[FinishedRun, ...]]) -> str:
    """Add to a name that several methods have one setting that tells all of them apart, or else all that differ."""
    own, settings = settings_of(runs[0]), [settings_of(group[0]) for group in namesakes]
    differing = [
        o for o in sorted(own, key="model.modalities".__ne__) if any(s.get(o) != own[o] for s in settings)
    ]
    if not differing:
        return name
    alone = next((o for o in differing if len({str(s.get(o)) for s in settings}) == len(settings)), None)
    words = values_in_words({o: own[o] for o in ([alone] if alone else differing)})
    words = words.removeprefix("modalities ")
    return f"{name.removesuffix(')')}; {words})" if name.endswith(")") else f"{name} ({words})"
