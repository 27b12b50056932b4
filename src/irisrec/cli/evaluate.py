"""``irisrec evaluate``: judge a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_evaluation, print_json


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Rank the held-out test items of a run and print the metrics, from the run folder alone."""
    from irisrec.experiments.run import evaluate_run
    from irisrec.memory import keep_freed_memory

    keep_freed_memory()

    evaluation = evaluate_run(run)
    if json:
        print_json(evaluation.to_json())
    else:
        print_evaluation(evaluation)
