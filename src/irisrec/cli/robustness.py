"""``irisrec robustness``: what is left when items come without their content."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def robustness(
    run: Annotated[Path, typer.Argument(help="Run folder of a model that reads modalities.")],
    seed: Annotated[int, typer.Option(help="Of which items lose their content.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Judge a run with 0 to 100 % of the items without each modality, and without all of them.

    What is missing is masked, and for comparison filled with zeros and with the mean vector.

    \b
    irisrec robustness runs/shop
    """
    from irisrec.experiments.comparing.text import table_as_text
    from irisrec.experiments.reporting.robustness import table_of
    from irisrec.experiments.robustness import measure_robustness
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()
    found = measure_robustness(run, seed=seed).to_json()
    if json:
        print_json(found)
        return
    for sentence in found["sentences"]:
        typer.echo(sentence)
    table = table_of(found)
    typer.echo(table_as_text(table))
    typer.echo(f"\n{table.sentence}")
