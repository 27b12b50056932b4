"""``irisrec report``: write the report of a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write report.html of a finished run again, from its folder and the pictures its catalog names.

    \b
    irisrec report runs/shop
    """
    from irisrec.experiments.folder import RunFolder
    from irisrec.experiments.report import write_report

    typer.echo(write_report(RunFolder(run)))
