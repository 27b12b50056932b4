"""``irisrec train``: from a config to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_evaluation


def train(
    config: Annotated[Path | None, typer.Argument(help="TOML file that describes the experiment.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the run.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override one option: section.key=value. Repeatable.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Run folder to go on with, instead of a config.")
    ] = None,
) -> None:
    """Train a model and judge it on the held-out test items.

    \b
    irisrec train configs/shop.toml --out runs/shop
    irisrec train configs/movielens-1m.toml --out runs/ml --set data.root=/data/ml-1m --set model.dim=64
    irisrec train --resume runs/ml
    """
    if (config is None) == (resume is None):
        raise typer.BadParameter("give either a config with --out, or --resume RUN")
    if resume is not None and (out is not None or set_):
        raise typer.BadParameter(
            "--resume goes on with the config of its run: it takes neither --out nor --set"
        )
    if config is not None and out is None:
        raise typer.BadParameter("give a folder for the run: --out RUN")
    from irisrec.experiments import run
    from irisrec.experiments.config import ExperimentConfig
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    from irisrec.experiments.folder import RunFolder

    if resume is not None:
        evaluation, folder = run.resume(resume), resume
    else:
        assert config is not None
        assert out is not None
        evaluation, folder = run.train(ExperimentConfig.load(config, set_ or ()), out), out
    print_evaluation(evaluation)
    typer.echo(f"\nrun folder: {folder}\nreport: {RunFolder(folder).report}")
    typer.echo(f"next: irisrec recommend {folder} --user ID -k 10")
