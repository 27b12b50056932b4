"""``irisrec faithfulness``: whether reasons are why the model scores as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def faithfulness(
    run: Annotated[Path, typer.Argument(help="Run folder of a model with reasons.")],
    users: Annotated[int, typer.Option(min=1, help="How many users to judge.")] = 200,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items are recommended.")] = 10,
    seed: Annotated[int, typer.Option(help="Of users, random orders and iALS.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Take history items away in the order of the reasons, and see how fast the score falls.

    Held against similarity alone, random order and the steepest fall, and against iALS by its own reasons.

    \b
    irisrec faithfulness runs/shop
    """
    from irisrec.experiments.comparing.text import table_as_text
    from irisrec.experiments.faithfulness import judge_reasons
    from irisrec.experiments.reporting.faithfulness import MEANINGS, tables_of
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    judged = judge_reasons(run, n_users=users, k=k, seed=seed)
    if json:
        print_json(judged.to_json())
        return
    for table in tables_of(judged.to_json()):
        typer.echo(table_as_text(table))
    typer.echo()
    for name, words in MEANINGS:
        typer.echo(f"{name}: {words}")
    for note in judged.notes:
        typer.echo(f"\n{note}")
