"""``irisrec tune``: hyper-parameters chosen on validation, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def tune(
    config: Annotated[Path, typer.Argument(help="TOML file that describes the experiment.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the study; one that is there already is gone on with.")
    ],
    trials: Annotated[int, typer.Option(min=1, help="Finished trials after which to stop.")],
    time: Annotated[
        float | None, typer.Option(min=0, help="Seconds of finished trials after which none begins.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override one option, section.key=value; it is not tuned. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the sampler.")] = 0,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Give up trials below the median of the others at the same share of their epochs."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Tune a model on validation NDCG@10 over all items; test items are never read. Killed, the same command goes on.

    \b
    irisrec tune configs/shop.toml --out runs/tuning --trials 30
    irisrec train runs/tuning/best.toml --out runs/tuned
    """
    from irisrec.experiments.config import ExperimentConfig
    from irisrec.experiments.tuning import tune as tuning
    from irisrec.experiments.tuning.folder import StudyFolder
    from irisrec.experiments.tuning.output import values_in_words
    from irisrec.experiments.tuning.study import Budget
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    overrides = set_ or []
    fixed = {override.partition("=")[0].strip() for override in overrides}
    study = tuning.tune(
        ExperimentConfig.load(config, overrides),
        out,
        Budget(trials, time),
        fixed=fixed,
        seed=seed,
        prune=prune,
    )
    if json:
        print_json(study)
        return
    folder, best = StudyFolder(out), study["best"]
    typer.echo(f"{study['model']}: {study['finished']} of {trials} trials in {study['seconds']:.0f} s")
    if best is None:
        typer.echo(
            "no trial was judged to its end; raise --trials, or lower training.learning_rate with --set"
        )
        return
    typer.echo(f"best: trial {best['trial']}, {study['objective']} {best['value']:.4f}, all items ranked")
    typer.echo(f"chosen: {values_in_words(best['options']) or 'nothing to choose'}")
    typer.echo(f"written: {folder.trials}, {folder.chart}\nnext: irisrec train {folder.best} --out RUN")
