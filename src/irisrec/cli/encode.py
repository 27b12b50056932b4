"""``irisrec encode``: pictures, texts and columns of a catalog become vectors, kept for every later run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def encode(
    config: Annotated[Path, typer.Argument(help="TOML file that describes the experiment.")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Override one option: section.key=value, or section.key= for its default. Repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write vectors, encoders and the list of failures to.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Encode what the [features.*] sections name; what is in the store already is not encoded again.

    \b
    irisrec encode configs/movielens-1m.toml --set data.root=/data/ml-1m --out features/movielens
    """
    from irisrec.cli.output import print_json
    from irisrec.experiments.encode import encode_experiment
    from irisrec.progress import say

    encoded, store = encode_experiment(config, set_ or (), out)
    for note in encoded.notes:
        if json or note.warning:
            say(f"{'warning: ' if note.warning else ''}{note}")
    if json:
        coverage = {
            name: {"present": int(t.present.sum()), "dim": t.dim} for name, t in encoded.tables.items()
        }
        notes = [note.to_json() for note in encoded.notes]
        print_json(
            {"modalities": coverage, "failures": len(encoded.failures), "notes": notes, "store": str(store)}
        )
        return
    for note in encoded.notes:
        if not note.warning:
            typer.echo(str(note))
    typer.echo(f"store: {store}" + (f"\nwritten to: {out}" if out else ""))
