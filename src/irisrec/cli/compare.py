"""``irisrec compare``: several runs side by side, with intervals and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders; the first is what the others are held against.")
    ],
    metric: Annotated[
        list[str] | None, typer.Option(help="Only this metric, such as ndcg@10. Repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables as Markdown and CSV, and a chart as PNG.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare finished runs on the same data, split and candidates, user by user.

    \b
    irisrec compare runs/fism runs/iris --out runs/comparison
    """
    if len(runs) < 2:
        raise typer.BadParameter("give at least two run folders")
    from irisrec.experiments.compare import compare_runs
    from irisrec.experiments.comparing.text import as_text

    comparison = compare_runs(runs, metric)
    written = []
    if out is not None:
        from irisrec.experiments.comparing.save import save_comparison

        written = save_comparison(comparison, out)
    if json:
        print_json(comparison.to_json())
        return
    typer.echo(as_text(comparison))
    for path in written:
        typer.echo(f"written: {path}")
