"""``irisrec recommend``: ranked items with reasons, for a user or a history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from irisrec.cli.output import print_json, print_recommendations


def recommend(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    user: Annotated[str | None, typer.Option(help="Id of a known user.")] = None,
    history: Annotated[
        str | None, typer.Option(help="Item ids, separated by commas, instead of a user.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    reasons: Annotated[int, typer.Option(min=0, help="How many history items to name for each.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Recommend items nobody has to be retrained for, and say which history items speak for each.

    \b
    irisrec recommend runs/shop --user u0017 -k 3
    irisrec recommend runs/shop --history p0003,p0040,p0007 --json
    """
    if (user is None) == (history is None):
        raise typer.BadParameter("give either --user ID or --history ID,ID,…")
    from irisrec.recommendation.recommender import Recommender

    recommender = Recommender.load(run)
    if user is not None:
        assert recommender.users is not None
        found = recommender.recommend(recommender.users.parse(user), k=k, n_reasons=reasons)
    else:
        ids = [recommender.items.parse(part.strip()) for part in (history or "").split(",") if part.strip()]
        found = recommender.recommend(history=ids, k=k, n_reasons=reasons)
    if json:
        print_json([recommendation.to_json() for recommendation in found])
    else:
        print_recommendations(found)
