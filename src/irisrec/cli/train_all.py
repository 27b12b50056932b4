"""``irisrec train-all``: every method of a plan, with all its seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_all(
    plan: Annotated[
        Path, typer.Argument(help="TOML file that names a config and the methods to train on it.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the runs, NAME-SEED, and for studies.")],
    only: Annotated[list[str] | None, typer.Option(help="Only this method of the plan. Repeatable.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="At most so many seeds of each method, whatever the plan says.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Say what is trained and what is not yet, and stop.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override one option of all runs: section.key=value. Repeatable."),
    ] = None,
) -> None:
    """Train many methods with all their seeds, tuned before where the plan says so. Killed, the same command goes on.

    \b
    irisrec train-all configs/table-movielens-1m.toml --out runs/table/ml --set data.root=data/movielens-1m
    irisrec results runs/table --out results.md
    """
    from irisrec.experiments.many import Many, read_plan
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    many = Many(out, read_plan(plan, set_ or (), only or (), seeds))
    if list_:
        typer.echo(many.in_words())
        return
    lost = many.make()
    for sentence in lost:
        typer.echo(f"left out: {sentence}")
    typer.echo(f"runs: {out}\nnext: irisrec results {out} --out {out / 'results.md'}")
    if lost:
        raise typer.Exit(1)
