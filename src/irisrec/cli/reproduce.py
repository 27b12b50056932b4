"""``irisrec reproduce``: the paper's tables and figures by name, on your data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reproduce(
    names: Annotated[list[str], typer.Argument(help="table1 … table9, figure1, figure6, or all.")],
    data: Annotated[
        list[str],
        typer.Option(help="movielens=WHERE, amazon=WHERE or hm=WHERE: a folder, or a config. Repeatable."),
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
    irisrec reproduce table2 --data movielens=configs/shop.toml --out runs/try --set training.epochs=1
    """
    if tuned != (trials is not None):
        raise typer.BadParameter("--tuned needs --trials, and --trials belongs to --tuned")
    from irisrec.experiments.paper import reproduce as paper
    from irisrec.experiments.paper.sources import read_source
    from irisrec.experiments.paper.workshop import Workshop
    from irisrec.experiments.tuning.study import Budget
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    workshop = Workshop(
        out, "tuned" if tuned else "as-in-paper", Budget(trials or 1, time), seeds, tuple(set_ or ())
    )
    written, left_out = paper.reproduce(names, [read_source(one) for one in data], workshop, bert)
    for path in written:
        if path.suffix == ".md":
            typer.echo(f"written: {path}, with .csv and .png")
    for sentence in left_out:
        typer.echo(f"left out: {sentence}")
