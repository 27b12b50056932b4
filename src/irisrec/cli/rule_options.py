"""The options of a command that say what a list of recommendations must and should be like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from irisrec.ids import Id, IdMap
    from irisrec.recommendation.rules import Rules

Allow = Annotated[
    str | None,
    typer.Option(help="The only items allowed: ids separated by commas, or @FILE with one per line."),
]
Deny = Annotated[str | None, typer.Option(help="Items not allowed: ids, or @FILE.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        help="Condition on a catalog column: genres=Comedy,Drama, year>=1990, title~star. Repeatable."
    ),
]
AtMost = Annotated[
    list[str] | None,
    typer.Option(help="At most N items that share a value of a column: genres=2. Repeatable."),
]
IncludeSeen = Annotated[bool, typer.Option("--include-seen", help="Recommend items of the history, too.")]
MinProbability = Annotated[
    float | None, typer.Option(min=0, max=1, help="Least probability of a recommended item.")
]
PopularityDamping = Annotated[
    float, typer.Option(min=0, help="Rank by score - X log(1 + users who had the item).")
]
Diversity = Annotated[
    float, typer.Option(min=0, max=1, help="How much unlikeness counts against the score (MMR).")
]
DiversityBy = Annotated[
    str, typer.Option(help="What makes items alike: 'learned', or a modality such as image.")
]


def rules_of(
    items: IdMap,
    allow: str | None,
    deny: str | None,
    at_most: list[str] | None,
    **others: Any,
) -> Rules:
    """Build rules; ids are read as the catalog's kind of ids."""
    from irisrec.recommendation.rules import Rules

    values = others | {
        "allow": None if allow is None else ids_of(allow, items),
        "deny": ids_of(deny, items) if deny else (),
        "at_most": dict(_limit(text) for text in at_most or ()),
        "where": tuple(others.get("where") or ()),
    }
    return Rules.read(values, "rules")


def ids_of(text: str, items: IdMap) -> tuple[Id, ...]:
    """Read ids from a command line: separated by commas, or one per line of ``@FILE``."""
    parts = lines_of(Path(text[1:])) if text.startswith("@") else text.split(",")
    return tuple(items.parse(part.strip()) for part in parts if part.strip())


def lines_of(path: Path) -> list[str]:
    """Read the lines of a file."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None


def _limit(text: str) -> tuple[str, int]:
    column, _, n = text.rpartition("=")
    if not column or not n.strip().isdigit():
        raise typer.BadParameter(f"--at-most needs COLUMN=N, got {text!r}")
    return column.strip(), int(n)
