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
        list[str] | None,
        typer.Option(
            "--set",
            help="Override one option: section.key=value, or section.key= for its default. Repeatable.",
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Run folder to go on with, instead of a config.")
    ] = None,
    continue_: Annotated[
        Path | None,
        typer.Option(
            "--continue",
            help="Finished run whose weights to begin with; needs --data, and --out for a new run.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="With --continue, the data as they are now, old and new together: a folder with the same files as "
            "before, or a TOML file with [data]."
        ),
    ] = None,
) -> None:
    """Train a model and judge it on the held-out test items.

    \b
    irisrec train configs/shop.toml --out runs/shop
    irisrec train configs/movielens-1m.toml --out runs/ml --set data.root=/data/ml-1m --set model.dim=64
    irisrec train --resume runs/ml
    irisrec train --continue runs/ml --data /data/ml-today --out runs/ml-today
    """
    if sum(given is not None for given in (config, resume, continue_)) != 1:
        raise typer.BadParameter(
            "give one of a config with --out, --resume RUN, and --continue RUN with --data NEW and --out NEWRUN"
        )
    if (continue_ is None) != (data is None):
        raise typer.BadParameter("--continue RUN and --data NEW belong together: the data as they are now")
    if resume is not None and (out is not None or set_):
        raise typer.BadParameter(
            "--resume goes on with the config of its run: it takes neither --out nor --set"
        )
    if resume is None and out is None:
        raise typer.BadParameter("give a folder for the run: --out RUN")
    from irisrec.experiments import run
    from irisrec.experiments.config import ExperimentConfig
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    from irisrec.experiments.folder import RunFolder

    if resume is not None:
        evaluation, folder = run.resume(resume), resume
    else:
        assert out is not None
        if continue_ is not None and data is not None:
            from irisrec.experiments.continuing import continued

            experiment = continued(continue_, data, set_ or ())
        else:
            assert config is not None
            experiment = ExperimentConfig.load(config, set_ or ())
        evaluation, folder = run.train(experiment, out), out
    print_evaluation(evaluation)
    typer.echo(f"\nrun folder: {folder}\nreport: {RunFolder(folder).report}")
    typer.echo(f"next: irisrec recommend {folder} --user ID -k 10")
