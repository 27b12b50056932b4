"""``irisrec features``: coverage, norms, duplicates and a contact sheet, to see whether the features see anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def features(
    source: Annotated[Path, typer.Argument(help="Run folder, or a file of vectors (.npy, .npz, .parquet).")],
    ids: Annotated[Path | None, typer.Option(help="File of item ids of an .npy file.")] = None,
    near: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Cosine from which two items are nearly the same.")
    ] = 0.98,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Folder for a contact sheet of nearest neighbours per modality (runs only)."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Look at the features of a run or of a file.

    \b
    irisrec features runs/shop --sheet runs/shop
    """
    from irisrec.cli.output import print_json
    from irisrec.experiments.encode import tables_of
    from irisrec.features.inspect import inspect_table
    from irisrec.features.sheet import contact_sheet

    tables, catalog, root = tables_of(source, ids)
    if sheet is not None and catalog is None:
        raise typer.BadParameter("--sheet needs a run folder: a file of vectors knows no pictures and titles")
    found = [inspect_table(table, near) for table in tables.values()]
    sheets = {}
    if sheet is not None and catalog is not None:
        for name, table in tables.items():
            sheets[name] = str(contact_sheet(table, catalog, sheet / f"neighbours-{name}.png", root))
    if json:
        print_json([one.to_json() | {"sheet": sheets.get(one.modality)} for one in found])
        return
    for one in found:
        typer.echo(str(one))
    for path in sheets.values():
        typer.echo(f"contact sheet: {path}")
