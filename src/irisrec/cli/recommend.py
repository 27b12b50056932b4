"""``irisrec recommend``: ranked items with reasons, for a user, a history, or everybody into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irisrec.cli import rule_options as rule
from irisrec.cli.output import print_json, print_recommendations

if TYPE_CHECKING:
    from irisrec.recommendation.audience import Audience
    from irisrec.recommendation.history import History
    from irisrec.recommendation.recommender import Recommender


def recommend(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    user: Annotated[str | None, typer.Option(help="Id of a known user.")] = None,
    history: Annotated[str | None, typer.Option(help="Item ids, separated by commas.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="With --history: how many times each item counts, 1,2,0.5.")
    ] = None,
    times: Annotated[
        str | None, typer.Option(help="With --history: when each was had, as numbers or ISO dates.")
    ] = None,
    all_users: Annotated[bool, typer.Option("--all-users", help="Every known user, into --out.")] = False,
    users: Annotated[
        Path | None, typer.Option(help="File of known users, one id per line, into --out.")
    ] = None,
    histories: Annotated[
        Path | None, typer.Option(help='JSON lines {"user_id": …, "items": […]}, into --out.')
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .parquet, .jsonl or .csv.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    reasons: Annotated[int, typer.Option(min=0, help="How many history items to name for each.")] = 3,
    half_life: Annotated[
        float | None,
        typer.Option(help="Age at which a history item counts half, in days or the times' own unit."),
    ] = None,
    allow: rule.Allow = None,
    deny: rule.Deny = None,
    where: rule.Where = None,
    at_most: rule.AtMost = None,
    include_seen: rule.IncludeSeen = False,
    min_probability: rule.MinProbability = None,
    popularity_damping: rule.PopularityDamping = 0.0,
    diversity: rule.Diversity = 0.0,
    diversity_by: rule.DiversityBy = "learned",
    exact: Annotated[
        bool, typer.Option("--exact", help="Rank all items by the exact score in a large catalog, too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Recommend items nobody has to be retrained for, and say which history items speak for each.

    What items must be like holds exactly, and changes no item's score, probability or reasons. Writing to a file
    goes on where it was when a killed command is repeated.

    \b
    irisrec recommend runs/shop --user u0017 -k 3
    irisrec recommend runs/shop --history p0003,p0040,p0007 --json
    irisrec recommend runs/ml --user 10 --where "genres=Comedy,Drama" --where "year>=1990" --at-most genres=3
    irisrec recommend runs/ml --history 260,1196 --weights 1,3 --diversity 0.3 --diversity-by text
    irisrec recommend runs/ml --all-users --out recommendations.parquet
    """
    asked = {"--user": user, "--history": history, "--all-users": all_users or None, "--users": users,
             "--histories": histories}  # fmt: skip
    given = [option for option, value in asked.items() if value is not None]
    if len(given) != 1:
        raise typer.BadParameter(
            f"give one of {', '.join(asked)}" + (f", got {' and '.join(given)}" if given else "")
        )
    for_many = given[0] not in ("--user", "--history")
    if for_many != (out is not None):
        raise typer.BadParameter(
            f"{given[0]} {'needs --out FILE' if for_many else 'prints, and takes no --out'}"
        )
    if (weights or times) and history is None:
        raise typer.BadParameter("--weights and --times belong to --history")
    from irisrec.startup import quick_imports

    with quick_imports(run):
        from irisrec.recommendation.recommender import Recommender
    recommender = Recommender.load(run, prepare=for_many, exact=exact)
    rules = rule.rules_of(
        recommender.items,
        allow,
        deny,
        at_most,
        where=where,
        exclude_seen=not include_seen,
        min_probability=min_probability,
        popularity_damping=popularity_damping,
        diversity=diversity,
        diversity_by=diversity_by,
    )
    wanted: dict[str, Any] = {"k": k, "n_reasons": reasons, "rules": rules}
    if out is not None:
        _write(recommender, _audience(recommender, users, histories, half_life), out, wanted, json)
        return
    if user is not None:
        assert recommender.users is not None
        wanted["user"] = recommender.users.parse(user)
    else:
        wanted["history"] = _history(recommender, history or "", weights, times)
    found = recommender.recommend(**wanted, half_life=half_life)
    if json:
        print_json([recommendation.to_json() for recommendation in found])
    else:
        print_recommendations(found, k)


def _history(
    recommender: Recommender, text: str, weights: str | None, times: str | None
) -> History | list[Any]:
    from irisrec.recommendation.history import History

    ids = rule.ids_of(text, recommender.items)
    if weights is None and times is None:
        return list(ids)
    counted = None if weights is None else [_number(part) for part in weights.split(",")]
    return History(ids, counted, None if times is None else _times(times))


def _times(text: str) -> list[Any]:
    parts = [part.strip() for part in text.split(",")]
    try:
        return [float(part) for part in parts]
    except ValueError:
        return parts


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"--weights needs numbers, got {text!r}") from None


def _audience(
    recommender: Recommender, users: Path | None, histories: Path | None, half_life: float | None
) -> Audience:
    from irisrec.recommendation.audience import HistoriesAudience, KnownUsersAudience

    if histories is not None:
        return HistoriesAudience(histories, half_life)
    known = recommender.users
    assert known is not None
    if users is None:
        return KnownUsersAudience(known.series.to_list(), half_life)
    ids = [known.parse(line.strip()) for line in rule.lines_of(users) if line.strip()]
    known.index(ids)  # refuses unknown ones now
    return KnownUsersAudience(ids, half_life)


def _write(
    recommender: Recommender, audience: Audience, out: Path, wanted: dict[str, Any], json: bool
) -> None:
    from irisrec.memory import keep_freed_memory
    from irisrec.recommendation.bulk import Order, recommend_to_file

    keep_freed_memory()
    written = recommend_to_file(recommender, audience, out, Order(**wanted))
    if json:
        print_json({"out": str(written.path), "people": written.n_people, "rows": written.n_rows})
    else:
        typer.echo(f"{written.n_rows:,} recommendations for {written.n_people:,} people: {written.path}")
