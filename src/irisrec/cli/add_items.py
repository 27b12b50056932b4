"""``irisrec add-items``: new items for a trained model, by their content, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json


def add_items(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    items: Annotated[Path, typer.Argument(help="Table of the new items, columns as in the run's config.")],
    out: Annotated[Path, typer.Option(help="New run folder, with the items.")],
    pictures: Annotated[
        str | None, typer.Option(help="Where their pictures are, as data.pictures: photos/{item_id}.jpg.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that picture paths start from; the table's if not given.")
    ] = None,
    vectors: Annotated[
        list[str] | None, typer.Option(help="Ready vectors, MODALITY=FILE.npz or .parquet. Repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Make new items recommendable, and usable as history: no training, no data set needed.

    What the model knows of them comes from their content, encoded by the run's own encoders. Any IRIS with
    model.content_factors = true or a ridge regression (model.ridge) can take them.

    \b
    irisrec add-items runs/shop new.csv --pictures "photos/{item_id}.jpg" --out runs/shop-2
    irisrec add-items runs/hm new.parquet --vectors audio=new-audio.npz --out runs/hm-2 --json
    """
    given = {}
    for one in vectors or []:
        name, equals, path = one.partition("=")
        if not (name and equals and path):
            raise typer.BadParameter(f"--vectors needs MODALITY=FILE, got {one!r}")
        given[name] = Path(path)
    from irisrec.startup import quick_imports

    with quick_imports(run):
        from irisrec.experiments.adding import add_items as add
    grown = add(run, items, out, pictures, given, root)
    ids = grown.items.series.to_list()
    added = ids[len(ids) - grown.model.n_added :]
    if json:
        print_json({"run": str(out), "items": len(ids), "added_after_training": added})
    else:
        typer.echo(f"next: irisrec recommend {out} --history {added[-1]}")
