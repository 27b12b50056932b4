"""``irisrec results``: many runs as one page of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def results(
    folders: Annotated[list[Path], typer.Argument(help="Run folders, or folders with runs anywhere below.")],
    out: Annotated[Path, typer.Option(help="The page, a Markdown file; pictures are written beside it.")],
) -> None:
    """Write a page on finished runs: every method over its seeds, by data set, split and candidates.

    \b
    irisrec results runs/table --out docs/results.md
    """
    from irisrec.experiments.results.page import write_results

    for path in write_results(folders, out):
        typer.echo(f"written: {path}")
