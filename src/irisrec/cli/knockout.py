"""``irisrec knockout``: whether each modality carries information."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def knockout(
    run: Annotated[Path, typer.Argument(help="Run folder of a model that reads modalities.")],
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain", help="Fit the model again on the altered content; takes its training time."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of shuffling and noise.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Judge a run with each modality removed, shuffled between items, and replaced by noise.

    \b
    irisrec knockout runs/shop
    """
    from irisrec.experiments.comparing.text import rows_as_text
    from irisrec.experiments.knockout import knock_out
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    result = knock_out(run, retrain=retrain, seed=seed)
    if json:
        print_json(result.to_json())
        return
    for sentence in result.sentences.values():
        typer.echo(sentence)
    typer.echo(rows_as_text(result.table))
