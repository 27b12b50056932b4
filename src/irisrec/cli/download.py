"""``irisrec download``: a published data set, complete and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def download(
    name: Annotated[
        str,
        typer.Argument(
            help="movielens-1m, movielens-latest-small, amazon-2014:CATEGORY or amazon-2023:CATEGORY."
        ),
    ],
    to: Annotated[Path, typer.Option(help="Folder for the files.")],
    image_features: Annotated[
        bool,
        typer.Option(
            "--image-features", help="Amazon 2014: also the 4,096-d picture features, many gigabytes."
        ),
    ] = False,
    unpack: Annotated[
        bool, typer.Option("--unpack", help="Unpack .gz files too; they are read packed.")
    ] = False,
    base_url: Annotated[
        str | None, typer.Option(help="A mirror with the publisher's own paths below it.")
    ] = None,
) -> None:
    """Fetch a published data set with its checksums and terms; broken off, the same command goes on.

    \b
    irisrec download movielens-1m --to data/movielens-1m
    irisrec download amazon-2014:Clothing_Shoes_and_Jewelry --to data/amazon-clothing
    """
    from irisrec.data.collect import download as collecting

    paths = collecting.download(name, to, image_features=image_features, unpack=unpack, base_url=base_url)
    for path in paths:
        typer.echo(path)
