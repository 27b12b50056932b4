"""Many runs from one file: which methods, how many seeds, how many trials before; made one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field

from irisrec.errors import ConfigError, IrisrecError, RunError, closest, count_of
from irisrec.experiments.config import ExperimentConfig, flat, read_toml
from irisrec.experiments.finished_run import finished_run
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.markdown import table
from irisrec.experiments.tuning.folder import StudyFolder
from irisrec.experiments.tuning.study import Budget
from irisrec.experiments.tuning.tune import tuned
from irisrec.lock import only_one
from irisrec.progress import say
from irisrec.settings import Settings


class PlanFile(Settings):
    """The file, as it is written.

    Attributes:
        config: the config that every method begins with, seen from the folder of the file.
        seeds: runs of every method, with ``training.seed`` 0, 1, ….
        trials: of `tune` before them; 0 for none.
        common: options for all methods, by section.
        methods: {name: options by section}, with ``seeds`` and ``trials`` where the method has numbers of its own.
            An empty text stands for the default.
    """

    config: Path
    seeds: int = Field(default=1, ge=1)
    trials: int = Field(default=0, ge=0)
    common: dict[str, dict[str, Any]] = {}  # noqa: RUF012 (frozen settings)
    methods: dict[str, dict[str, Any]] = Field(min_length=1)


class _Own(Settings):
    """What a method has for itself beside options of its config."""

    seeds: int | None = Field(default=None, ge=1)
    trials: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Planned:
    """A method of the plan.

    Attributes:
        name: of its folders.
        config: that its runs, or its study, begin with.
        given: options that the file or the command line gives it, which no study changes.
        n_seeds, n_trials: runs, and trials of the study before.
    """

    name: str
    config: ExperimentConfig
    given: frozenset[str]
    n_seeds: int
    n_trials: int


def read_plan(
    path: Path, overrides: Iterable[str] = (), only: Sequence[str] = (), most_seeds: int | None = None
) -> list[Planned]:
    """Read a plan.

    Args:
        path: the TOML file.
        overrides: ``section.key=value`` for all methods, with the last word.
        only: names of methods; all where it is empty.
        most_seeds: of a method, whatever the plan says; None for no limit.

    Raises:
        ConfigError: a file or config that cannot be read, or a name in ``only`` that the plan does not have.
    """
    path = Path(path)
    file = PlanFile.read(read_toml(path))
    for name in only:
        if name not in file.methods:
            raise ConfigError(
                f"{path} has no method {name!r}; it has {', '.join(file.methods)}{closest(name, file.methods)}"
            )
    found = [
        _planned(name, file, path.parent / file.config, tuple(overrides))
        for name in file.methods
        if not only or name in only
    ]
    return [replace(one, n_seeds=min(one.n_seeds, most_seeds or one.n_seeds)) for one in found]


def _planned(name: str, file: PlanFile, config: Path, overrides: Sequence[str]) -> Planned:
    options = dict(file.methods[name])
    own = _Own.read(
        {key: options.pop(key) for key in ("seeds", "trials") if key in options}, f"methods.{name}"
    )
    given = [*_overrides(file.common), *_overrides(options), *overrides]
    try:
        read = ExperimentConfig.load(config, given)
    except ConfigError as error:
        raise ConfigError(f"method {name}: {error}") from None
    return Planned(
        name,
        read,
        frozenset(override.partition("=")[0].strip() for override in given),
        file.seeds if own.seeds is None else own.seeds,
        file.trials if own.trials is None else own.trials,
    )


def _overrides(options: dict[str, Any]) -> Iterator[str]:
    for option, value in flat(options):
        yield f"{option}={'' if value == '' else tomli_w.dumps({'': value}).partition('=')[2].strip()}"


class Many:
    """The runs of a plan in one folder: ``NAME-SEED``, and studies in ``studies/NAME``.

    Args:
        out: the folder, made where it is not there.
        methods: of the plan.
    """

    def __init__(self, out: Path, methods: Sequence[Planned]) -> None:
        self.out, self.methods = Path(out), methods

    def path(self, method: Planned, seed: int) -> Path:
        """Return where a run lies or is going to lie."""
        return self.out / f"{method.name}-{seed}"

    def study(self, method: Planned) -> StudyFolder:
        """Return where the study of a method lies or is going to lie."""
        return StudyFolder(self.out / "studies" / method.name)

    @property
    def order(self) -> list[tuple[Planned, int]]:
        """Methods with seeds: every method once before any has a second seed, so that a whole table is there soon."""
        most = max(method.n_seeds for method in self.methods)
        return [(method, seed) for seed in range(most) for method in self.methods if seed < method.n_seeds]

    def make(self) -> list[str]:
        """Tune and train what is not finished; return a sentence for each run that could not be.

        Raises:
            RunError: none could be.
        """
        lost = []
        with only_one(self.out, "training in"):
            for number, (method, seed) in enumerate(self.order, 1):
                say(f"== {number} of {len(self.order)}: {method.name}, seed {seed}")
                try:
                    finished_run(
                        self._config(method).having({"training.seed": seed}), self.path(method, seed)
                    )
                except IrisrecError as error:
                    say(f"{method.name}: {error}")
                    lost.append(f"{method.name}, seed {seed}: {error}")
        if len(lost) == len(self.order):
            raise RunError("; ".join(lost))
        return lost

    def in_words(self) -> str:
        """List every run, its state, and the trials before it."""
        rows = []
        for method, seed in self.order:
            done = self.study(method).read_description().get("finished", 0)
            folder = RunFolder(self.path(method, seed))
            trials = f"{done} of {method.n_trials}" if method.n_trials else ""
            rows.append([folder.path.name, folder.state, trials])
        n_open = sum(row[1] != "finished" for row in rows)
        summary = f"{count_of(len(rows), 'run')}, {n_open} of them to be trained (to their end)."
        return f"{table(['run', 'state', 'trials'], *rows)}\n\n{summary}"

    def _config(self, method: Planned) -> ExperimentConfig:
        if not method.n_trials:
            return method.config
        budget = Budget(method.n_trials)
        return tuned(method.config, self.study(method).path, budget, fixed=method.given)[0]
