"""The main metric of every method on all data sets and under all protocols, in one small table."""

from __future__ import annotations

from collections.abc import Sequence

from irisrec.errors import listed
from irisrec.experiments.markdown import table
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results.standing import Standing, is_marked
from irisrec.experiments.results.tables import FIRST_MARK


def overview(sections: Sequence[tuple[str, Sequence[Standing]]]) -> str:
    """Lay out a row per method, a column per section and protocol, in the order of the last column of the first.

    Args:
        sections: title and standings of each.
    """
    columns = [(title, standing) for title, standings in sections for standing in standings]
    names = dict.fromkeys(name for _, standings in sections for name in standings[-1].order)
    header = [f"{title}, {candidates_in_words(standing.protocol)}" for title, standing in columns]
    rows = [[name, *(_cell(standing, name) for _, standing in columns)] for name in names]
    mains = listed([*dict.fromkeys(standing.main.upper() for _, standing in columns)])
    return f"{mains}, the highest of each column in bold.\n\n{table(['method', *header], *rows)}"


def _cell(standing: Standing, name: str) -> str:
    if name not in standing.order:
        return "–"
    row = standing.estimate(name, standing.main)
    value = f"{row['mean']:.4f}"
    if name == standing.order[0]:
        return f"**{value}**"
    return value + FIRST_MARK * is_marked(row)
