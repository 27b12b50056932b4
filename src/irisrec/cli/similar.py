"""``irisrec similar``: which items are like one, by what the model learned and by each modality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from irisrec.cli.output import print_json, print_similar
from irisrec.errors import IrisrecError

if TYPE_CHECKING:
    from irisrec.ids import Id
    from irisrec.recommendation.recommender import Recommender
    from irisrec.recommendation.similar import SimilarItem


def similar(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    item: Annotated[str, typer.Option(help="Id of the item to compare with.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    by: Annotated[
        str | None, typer.Option(help="learned, relevance, or a modality; every way there is if not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """List the items most similar to one.

    \b
    irisrec similar runs/shop --item p0040 -k 5
    irisrec similar runs/shop --item p0040 --by image --json
    """
    from irisrec.startup import quick_imports

    with quick_imports(run):
        from irisrec.recommendation.recommender import Recommender
    recommender = Recommender.load(run, prepare=False)
    id = recommender.items.parse(item)
    recommender.items.index([id])  # refuses an unknown one
    ways = {by: recommender.similar_items(id, k, by)} if by else _in_every_way(recommender, id, k)
    if json:
        print_json({way: [one.to_json() for one in found] for way, found in ways.items()})
    else:
        print_similar(ways)


def _in_every_way(recommender: Recommender, id: Id, k: int) -> dict[str, list[SimilarItem]]:
    """Compare by everything that model and item can be compared by, and say what they cannot."""
    from irisrec.progress import say
    from irisrec.recommendation.similar import ways_of

    ways = {}
    for way in ways_of(recommender.model):
        try:
            ways[way] = recommender.similar_items(id, k, way)
        except IrisrecError as error:
            say(f"not by {way}: {error}")
    return ways
