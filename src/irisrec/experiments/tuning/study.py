"""The memory of a study: Optuna's, in one SQLite file, so that a killed study goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from irisrec.errors import ConfigError
from irisrec.experiments.tuning.space import Space

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

OBJECTIVE = "validation ndcg@10"
N_RANDOM = 8  # trials before the sampler begins to learn from those before
_MANY = 100_003


@dataclass(frozen=True)
class Budget:
    """How long a study goes on: until a number of finished trials, or until they have taken so much time.

    At least one trial is finished, and one that has begun is; one that a kill cut off does not count.
    """

    trials: int
    seconds: float | None = None

    def is_spent(self, study: Study) -> bool:
        """Whether no further trial may begin."""
        n = study.n_finished
        return n >= self.trials or (n > 0 and self.seconds is not None and study.seconds >= self.seconds)


class Study:
    """Trials of one space, asked for and told one after the other.

    The sampler (TPE over all options jointly) is seeded anew for every trial, from the seed and the number of finished
    trials: after a kill the trial that was running is drawn again with the same values.

    Args:
        path: the SQLite file, made where it is not there.
        space: what is tuned.
        start: values of the first trial.
        seed: of the sampler.
    """

    def __init__(self, path: Path, space: Space, start: dict[str, Any], seed: int) -> None:
        optuna = import_optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._space, self._start, self._seed = optuna, space, start, seed
        # gives up a trial whose best epoch so far is below the median of the others at the same share of their epochs
        pruner = optuna.pruners.MedianPruner(n_startup_trials=N_RANDOM, n_warmup_steps=3)
        self._study = optuna.create_study(
            storage=f"sqlite:///{path.absolute()}",
            study_name="irisrec",
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )
        for trial in self._trials("RUNNING"):
            self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    @property
    def n_finished(self) -> int:
        """Number of trials that came to an end: judged, given up or diverged, but not killed."""
        return len(self._trials("COMPLETE", "PRUNED"))

    @property
    def seconds(self) -> float:
        """Time that the finished trials took."""
        return sum(float(trial.user_attrs["seconds"]) for trial in self._trials("COMPLETE", "PRUNED"))

    @property
    def best(self) -> FrozenTrial | None:
        """The first of the trials with the highest value; None before any was judged to its end."""
        return max(self._trials("COMPLETE"), key=lambda trial: trial.value or 0.0, default=None)

    def ask(self) -> Trial:
        """Draw the next trial; the first is the start."""
        n = self.n_finished
        if n == 0 and self._start and not self._trials("WAITING"):
            self._study.enqueue_trial(self._start)
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=self._seed * _MANY + n, multivariate=True, n_startup_trials=N_RANDOM
        )
        trial: Trial = self._study.ask(
            {option: range_.distribution for option, range_ in self._space.items()}
        )
        return trial

    def tell(self, trial: Trial, value: float, *, pruned: bool = False, **facts: Any) -> None:
        """Finish a trial; the facts stand in the table of trials."""
        for name, fact in facts.items():
            trial.set_user_attr(name, fact)
        states = self._optuna.trial.TrialState
        # a pruned trial has the value that it reported last
        self._study.tell(trial, None if pruned else value, states.PRUNED if pruned else states.COMPLETE)

    def frame(self) -> pl.DataFrame:
        """Return one row per finished trial, in order: number from 1, value, facts, options."""
        rows = [
            {"trial": number, OBJECTIVE: trial.value} | trial.user_attrs | trial.params
            for number, trial in enumerate(self._trials("COMPLETE", "PRUNED"), 1)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def _trials(self, *states: str) -> list[FrozenTrial]:
        wanted = tuple(self._optuna.trial.TrialState[name] for name in states)
        return self._study.get_trials(deepcopy=False, states=wanted)  # type: ignore[no-any-return]


def import_optuna() -> Any:
    """Return the package, or say how to get it."""
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "tuning needs the package optuna; install it with: pip install 'irisrec[tune]'"
        ) from None
    return optuna
