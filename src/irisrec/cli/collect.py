"""``irisrec collect``: posters, plots and pictures from where they are to be had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from irisrec.cli.output import print_json

if TYPE_CHECKING:
    from irisrec.data.config import DataConfig

app = typer.Typer(
    help="Collect posters, plots and pictures.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print the counts as JSON and nothing else.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Override one option of the config: section.key=value.")
]


@app.command()
def omdb(
    data: Annotated[Path, typer.Option(help="A MovieLens folder.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder for plots and posters; the data folder if not given.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="OMDB_API_KEY", help="Your key; in the environment nobody else sees it."),
    ] = None,
    per_second: Annotated[float, typer.Option(min=0.01, help="Requests per second.")] = 5.0,
    base_url: Annotated[
        str | None, typer.Option(envvar="IRISREC_OMDB_URL", help="Another address of the API.")
    ] = None,
    json: Json = False,
) -> None:
    """Collect plots and posters for MovieLens through OMDb; at the daily limit it ends and goes on tomorrow.

    \b
    irisrec collect omdb --data data/movielens-1m
    """
    from irisrec.data.collect.omdb import BASE_URL
    from irisrec.data.collect.posters import OmdbSettings, collect_omdb
    from irisrec.progress import say

    target = to or data
    settings = OmdbSettings(base_url=base_url or BASE_URL, per_second=per_second)
    report = collect_omdb(data, target, key, settings)
    if len(report.misses):
        say(f"what was not found is listed in {target / 'misses.csv'}")
    if json:
        say(str(report))
        print_json(report.to_json())
    else:
        typer.echo(report)


@app.command()
def pictures(
    data: Annotated[Path | None, typer.Option(help="A table with ids and addresses.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Instead of a table: a config; its items have a column picture_url.")
    ] = None,
    set_: Overrides = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; `pictures` beside the data if not given.")
    ] = None,
    id_column: Annotated[str, typer.Option(help="Column of the ids.")] = "item_id",
    url_column: Annotated[str, typer.Option(help="Column of the addresses.")] = "picture_url",
    at_once: Annotated[int, typer.Option(min=1, help="Requests at once, in all.")] = 16,
    per_host: Annotated[int, typer.Option(min=1, help="Requests at once, to one host.")] = 4,
    again: Annotated[
        bool, typer.Option("--again", help="Ask again where an address had no picture.")
    ] = False,
    json: Json = False,
) -> None:
    """Fetch pictures by address for any catalog; broken off, the same command goes on.

    \b
    irisrec collect pictures --data items.parquet --id-column sku --url-column image --to pictures
    irisrec collect pictures --config configs/paper-amazon-clothing.toml
    """
    if (data is None) == (config is None):
        raise typer.BadParameter("give either --data TABLE or --config CONFIG.toml")
    from irisrec.data.collect.pictures import PictureSettings, collect_pictures
    from irisrec.data.collect.wanted import from_dataset, from_table
    from irisrec.progress import say

    if config is not None:
        described = _data_of(config, set_)
        wanted, folder = from_dataset(described, url_column), described.root
    else:
        assert data is not None
        wanted, folder = from_table(data, id_column, url_column), data.parent
    target = to or folder / "pictures"
    report = collect_pictures(
        wanted, target, PictureSettings(at_once=at_once, per_host=per_host), again=again
    )
    for note in report.notes:
        say(str(note))
    say(f"what became of every item: {target / 'pictures.csv'}")
    if json:
        print_json(report.to_json())
    else:
        typer.echo(report)


@app.command()
def image_features(
    config: Annotated[Path, typer.Option(help="A config with source amazon-2014.")],
    set_: Overrides = None,
    file: Annotated[
        Path | None, typer.Option(help="The .b file; the one in the data folder if not given.")
    ] = None,
) -> None:
    """Take the published picture features of the items in use out of the large file, as image_features.npy.

    \b
    irisrec collect image-features --config configs/paper-amazon-clothing.toml
    """
    from irisrec.data.load import load_dataset
    from irisrec.data.sources.amazon_features import find_image_features, save_image_features
    from irisrec.progress import say

    described = _data_of(config, set_)
    ids = [str(id) for id in load_dataset(described).items.series.to_list()]
    target = described.root / "image_features.npy"
    for note in save_image_features(file or find_image_features(described.root), ids, target):
        say(str(note))
    typer.echo(target)


def _data_of(config: Path, overrides: list[str] | None) -> DataConfig:
    from irisrec.experiments.config import ExperimentConfig

    return ExperimentConfig.load(config, overrides or ()).data
