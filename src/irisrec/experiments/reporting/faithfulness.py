"""The section on reasons: does the score fall as they go, and are they the planted ones?"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from irisrec.evaluation.faithfulness import CHANCE, MEASURES, ORDERS, REASONS, SIMILARITY, STEEPEST
from irisrec.experiments.reporting.charts import share_chart
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.finished import FinishedRun, read_if_there
from irisrec.experiments.reporting.tables import Cell, Row, Table

ORDERS_IN_WORDS = {
    REASONS: "contribution, highest first",
    SIMILARITY: "similarity alone",
    CHANCE: "random",
    STEEPEST: "steepest fall",
}
MEANINGS = (
    (
        "deletion",
        "area under the score of the item recommended first as history items go, the score as a share of what the "
        "whole history gives; the lower, the faster it falls",
    ),
    ("insertion", "the same as history items come to an empty history; the higher, the faster it rises"),
    ("kept", "share of the history that is gone when the item leaves the first places"),
    ("speed", "deletion on a scale where random order is 0 and the steepest fall is 1"),
)
QUESTION = "does the score fall when history items go in the order of the reasons?"
PLANTED = (
    ("top", "the top reason carries the planted interest, where one can"),
    ("taste", "it carries some interest that user and item share"),
    ("modality", "its largest modality is the planted one, where the reason is right"),
    ("told_modality", "the same, where the pair can tell"),
)


def faithfulness(run: FinishedRun) -> Findings | None:
    """Tell what `irisrec faithfulness` has found and what is planted; None for a model without reasons."""
    if not run.model.has_reasons:
        return None
    found = read_if_there(run.folder.faithfulness)
    planted = run.evaluation.get("planted_reasons")
    command = f"irisrec faithfulness {shlex.quote(str(run.folder.path))}"
    return Findings(
        notes=tuple(note["sentence"] for note in found["notes"]) if found else (),
        charts=tuple(_chart(name, found) for name in found["models"]) if found else (),
        legend=tuple(enumerate(ORDERS_IN_WORDS.values())) if found else (),
        tables=(*(tables_of(found) if found else ()), *((_planted(planted),) if planted else ())),
        meanings=MEANINGS if found else (),
        missing=() if found else ((QUESTION, command),),
    )


def tables_of(found: Mapping[str, Any]) -> tuple[Table, ...]:
    """Lay out ``faithfulness.json``: a table per model, a row per order."""
    return tuple(_table(name, model) for name, model in found["models"].items())


def _table(name: str, model: Mapping[str, Any]) -> Table:
    rows = tuple(
        Row(ORDERS_IN_WORDS[order], _cells(model["orders"][order]), is_own=order == REASONS)
        for order in ORDERS
    )
    sentence = (
        f"The item recommended first to each of {model['n_users']:,} users; kept is about the first {model['k']}. "
        "Intervals are 95% bootstrap intervals over users."
    )
    if model["n_left_out"]:
        sentence += f" Left out: {model['n_left_out']:,} users whose history does not raise its score."
    columns = (*MEASURES, "speed")
    return Table(f"{name}: history items go by", sentence, "order", columns, rows)


def _cells(order: Mapping[str, Any]) -> tuple[Cell, ...]:
    measured = (
        Cell(f"{mean:.3f}", f"{low:.3f}–{high:.3f}") for mean, low, high in map(order.__getitem__, MEASURES)
    )
    speed = "–" if order["speed"] is None else f"{order['speed'] + 0.0:.2f}"
    return (*measured, Cell(speed))


def _chart(name: str, found: Mapping[str, Any]) -> Chart:
    orders = found["models"][name]["orders"]
    lines = [_points(found["shares"], orders[order]["curves"]["deletion"]) for order in ORDERS]
    title = f"{name}: what is left of the score"
    labels = ("share of the history taken away", "share of the score")
    return Chart(title, share_chart(lines, range(len(lines)), labels, title))


def _points(shares: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(shares, values, strict=True))


def _planted(planted: Mapping[str, Any]) -> Table:
    """Lay out the planted causes of the built-in shop."""
    asked = [(words, planted[name]) for name, words in PLANTED]
    asked[1:1] = [(f"– for causes in {cause}", rate) for cause, rate in planted["top_by_cause"].items()]
    rows = tuple(
        Row(
            words,
            (
                *(Cell(_percent(rate.get(name))) for name in ("rate", "chance", "expert")),
                Cell(f"{rate['n']:,}"),
            ),
        )
        for words, rate in asked
    )
    sentence = (
        "Every purchase of the built-in shop has a known cause; these are the hits that have one. By all traits: by "
        "one who knows every trait of both items, but compares one history item with the bought one at a time, as "
        "the model does."
    )
    columns = ("share", "by chance", "by all traits", "hits")
    return Table("Are the reasons the planted ones?", sentence, "question", columns, rows)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
