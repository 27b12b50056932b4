"""``irisrec explain``: why an item is recommended to somebody, or why not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from irisrec.cli import rule_options as rule
from irisrec.cli.output import print_explanation, print_json


def explain(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    item: Annotated[str, typer.Option(help="Id of the item, recommended or not.")],
    user: Annotated[str | None, typer.Option(help="Id of a known user.")] = None,
    history: Annotated[
        str | None, typer.Option(help="Item ids, separated by commas, instead of a user.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items are recommended.")] = 10,
    reasons: Annotated[
        int, typer.Option(min=0, help="How many history items to name for it, and against it.")
    ] = 3,
    verb: Annotated[str, typer.Option(help="What users did with items, in the past.")] = "had",
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say what speaks for an item and against it, by which modality, and what would be without each reason.

    \b
    irisrec explain runs/shop --user u0017 --item p0040
    irisrec explain runs/movielens --history 260,1196,1210 --item 1198 --verb watched
    """
    if (user is None) == (history is None):
        raise typer.BadParameter("give either --user ID or --history ID,ID,…")
    from irisrec.startup import quick_imports

    with quick_imports(run):
        from irisrec.recommendation.recommender import Recommender
        from irisrec.recommendation.words import Wording

    recommender = Recommender.load(run, prepare=False)
    if user is not None:
        assert recommender.users is not None
        whom: dict[str, Any] = {"user": recommender.users.parse(user)}
    else:
        whom = {"history": rule.ids_of(history or "", recommender.items)}
    found = recommender.explain(recommender.items.parse(item), **whom, k=k, n_reasons=reasons)
    if json:
        print_json(found.to_json())
    else:
        print_explanation(found, Wording(verb=verb))
