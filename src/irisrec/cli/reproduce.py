"""``irisrec reproduce``: the paper's tables and figures by name, on your data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    names: Annotated[list[str], typer.Argument(help="table1 … table9, figure1, figure6, or all.")],
    data: Annotated[
        list[str],
        typer.Option(
            help="movielens=WHERE, amazon=WHERE or hm=WHERE: a folder, or a config; a folder whose files tell what it "
            "is needs no name. Repeatable."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures, runs and studies.")],
    tuned: Annotated[
        bool,
        typer.Option(
            "--tuned/--as-in-paper", help="Tune every method with one budget, or train as the paper says."
        ),
    ] = False,
    trials: Annotated[
        int | None, typer.Option(min=1, help="With --tuned: finished trials of every method.")
    ] = None,
    time: Annotated[
        float | None, typer.Option(min=0, help="With --tuned: seconds of trials after which none begins.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every method, with seeds 0, 1, ….")] = 1,
    bert: Annotated[
        str | None, typer.Option(help="Table VI: text encoder, a transformers model by name or folder.")
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            help="Train nothing: take finished runs, or folders with runs anywhere below. Repeatable."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this method of the paper, such as NAIS. Repeatable.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many for every run; short for --set training.epochs=N."),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be trained, and stop.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Override one option of all runs, section.key=value; it is not tuned. Repeatable."
        ),
    ] = None,
) -> None:
    """Make the paper's tables and figures beside its numbers. Killed, the same command goes on.

    \b
    irisrec reproduce table1 table2 --data movielens=data/movielens-1m --out runs/paper
    irisrec reproduce all --data movielens=FOLDER --data hm=FOLDER --out runs/paper --tuned --trials 30 --seeds 3
    irisrec reproduce table2 --data movielens=configs/shop.toml --out runs/try --only NAIS --epochs 1
    irisrec reproduce all --data movielens=FOLDER --out runs/paper --runs runs/table
    """
    if tuned != (trials is not None):
        raise typer.BadParameter("--tuned needs --trials, and --trials belongs to --tuned")
    if runs and (tuned or set_ or epochs or plan or seeds > 1):
        raise typer.BadParameter(
            "--runs trains nothing: it takes no --tuned, --seeds, --epochs, --set or --plan"
        )
    from irisrec.experiments.paper import reproduce as paper
    from irisrec.experiments.paper.given import GivenRuns
    from irisrec.experiments.paper.methods import known_methods
    from irisrec.experiments.paper.plan import plan as planned
    from irisrec.experiments.paper.sources import read_source
    from irisrec.experiments.paper.workshop import Workshop
    from irisrec.experiments.tuning.study import Budget
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    overrides = (*(set_ or ()), *([f"training.epochs={epochs}"] if epochs else ()))
    workshop = Workshop(
        out,
        "given" if runs else "tuned" if tuned else "as-in-paper",
        Budget(trials or 1, time),
        seeds,
        overrides,
        known_methods(only or ()),
        GivenRuns.read(runs) if runs else None,
    )
    sources = [read_source(one) for one in data]
    if plan:
        typer.echo(planned(paper.chosen_names(names, sources), sources, workshop, bert))
        return
    written, left_out = paper.reproduce(names, sources, workshop, bert)
    for path in written:
        if path.suffix == ".md":
            typer.echo(f"written: {path}, with .csv and .png")
    for sentence in left_out:
        typer.echo(f"left out: {sentence}")
