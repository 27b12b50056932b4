"""tune: try hyper-parameters within a budget and keep those that validation likes best."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from irisrec.errors import ConfigError, RunError, count_of
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.run import Prepared, prepare
from irisrec.experiments.tuning.chart import draw_study
from irisrec.experiments.tuning.folder import StudyFolder
from irisrec.experiments.tuning.objective import judge, without_test
from irisrec.experiments.tuning.output import save_outputs, values_in_words
from irisrec.experiments.tuning.space import space_of
from irisrec.experiments.tuning.study import OBJECTIVE, Budget, Study, import_optuna
from irisrec.files import sha256
from irisrec.lock import only_one
from irisrec.progress import say


def tune(
    config: ExperimentConfig,
    out: Path,
    budget: Budget,
    *,
    fixed: Collection[str] = (),
    seed: int = 0,
    prune: bool = False,
) -> dict[str, Any]:
    """Tune the model of a config on validation NDCG@10 over all items; test items are never read.

    Args:
        config: where the study begins: its values are the first trial, as near as the space allows.
        out: folder of the study; one that is there already is gone on with, its finished trials counted.
        budget: when to stop.
        fixed: options such as ``model.dim`` that are not tuned.
        seed: of the sampler.
        prune: whether trials that look hopeless after a third of their epochs are given up.

    Returns:
        The content of ``study.json``.

    Raises:
        ConfigError: a model without a space, data without validation interactions.
        RunError: a folder that holds another study, or data that changed since it began.
    """
    import_optuna()
    if config.model.id_dropout:  # a config without content factors would refuse it
        fixed = {*fixed, "model.content_factors"}
    # an addition of ours that is off in the config stays off, so that a model is tuned as its paper has it
    values = {option: value for option, value in config.options().items() if value is not False}
    space = {
        option: range_ for option, range_ in space_of(config.model.name, fixed).items() if option in values
    }
    folder = StudyFolder(Path(out))
    with only_one(folder.path, "tuning in"):
        facts: dict[str, Any] = {
            "seed": seed,
            "prune": prune,
            "space": {option: str(r) for option, r in space.items()},
        }
        folder.open(config, facts)
        start = {option: range_.nearest(values[option]) for option, range_ in space.items()}
        study = Study(folder.storage, space, start, seed)
        if not space and budget.trials > 1:
            say(f"{config.model.name} has nothing to tune: one trial")
            budget = Budget(1)
        if budget.is_spent(study):
            say(f"{folder.path} has {count_of(study.n_finished, 'finished trial')}: the budget is spent")
        else:
            _search(config, folder, study, budget, prune)
        draw_study(study.frame(), config.model.name, folder.chart)
        return save_outputs(folder, config, study, budget)


def tuned(
    config: ExperimentConfig, out: Path, budget: Budget, *, fixed: Collection[str] = ()
) -> tuple[ExperimentConfig, dict[str, Any]]:
    """Return a config with the values that `tune` chooses, and what that returns.

    Raises:
        RunError: no trial was judged to its end; also as of `tune`.
    """
    study = tune(config, out, budget, fixed=fixed)
    if study["best"] is None:
        raise RunError(f"no trial of {out} was judged to its end; give it more trials")
    return ExperimentConfig.load(StudyFolder(out).best), study


def _search(config: ExperimentConfig, folder: StudyFolder, study: Study, budget: Budget, prune: bool) -> None:
    prepared = without_test(prepare(config))
    if not prepared.split.validation.nnz:
        raise ConfigError(
            "tuning chooses on validation interactions, the split has none; set split.validation"
        )
    folder.open(config, {"data_fingerprint": prepared.dataset.fingerprint})
    while not budget.is_spent(study):
        _try(config, folder, study, prepared, prune)
        save_outputs(folder, config, study, budget)
        _tell(study, budget)


def _try(
    config: ExperimentConfig, folder: StudyFolder, study: Study, prepared: Prepared, prune: bool
) -> None:
    started = time.perf_counter()
    trial = study.ask()
    tried = config.having(trial.params)
    checkpoint = folder.checkpoint(sha256(tried.model_dump_json()))

    def is_hopeless(tenth: int, value: float) -> bool:
        trial.report(value, tenth)
        return prune and trial.should_prune()

    ended = judge(tried, prepared, checkpoint, is_hopeless)
    study.tell(
        trial,
        ended.value,
        pruned=ended.outcome == "pruned",
        outcome=ended.outcome,
        epoch=ended.epoch,
        seconds=round(time.perf_counter() - started, 3),
    )
    checkpoint.unlink(missing_ok=True)


def _tell(study: Study, budget: Budget) -> None:
    last = study.frame().row(-1, named=True)
    best = study.best
    so_far = f"best {best.value:.4f}" if best is not None else "none judged to its end yet"
    values = values_in_words({o: v for o, v in last.items() if "." in o})
    say(
        f"trial {last['trial']}/{budget.trials}  {last['outcome']}  ndcg@10 {last[OBJECTIVE]:.4f}  {so_far}  "
        f"{last['seconds']:.1f} s  {values}"
    )
