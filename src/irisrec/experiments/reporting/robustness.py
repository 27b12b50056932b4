"""The section on missing content: what is left of a run when more and more items come without a modality."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from irisrec.evaluation.robustness import FILLINGS, IN_WORDS
from irisrec.experiments.reporting.charts import missing_chart
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.finished import FinishedRun, read_if_there
from irisrec.experiments.reporting.tables import Cell, Row, Table
from irisrec.models.features import held_modalities

QUESTION = "how much is left when items come without their content?"


def robustness(run: FinishedRun) -> Findings | None:
    """Tell what `irisrec robustness` has found, or how to run it; None for a model that reads no modality."""
    if not held_modalities(run.model):
        return None
    found = read_if_there(run.folder.robustness)
    if found is None:
        return Findings(missing=((QUESTION, f"irisrec robustness {shlex.quote(str(run.folder.path))}"),))
    return Findings(
        notes=tuple(found["sentences"]),
        charts=tuple(_chart(lack, ways, found) for lack, ways in found["curves"].items()),
        legend=tuple(enumerate(IN_WORDS[way] for way in FILLINGS)),
        tables=(table_of(found),),
    )


def table_of(found: Mapping[str, Any]) -> Table:
    """Lay out ``robustness.json``: a row per modality and way of telling the model, a column per share."""
    rows = tuple(
        Row(f"{_name(lack)}, {IN_WORDS[way]}", tuple(map(_cell, ways[way])), is_own=way == FILLINGS[0])
        for lack, ways in found["curves"].items()
        for way in FILLINGS
    )
    any_points = next(iter(found["curves"].values()))[FILLINGS[0]]
    columns = tuple(f"{point['share']:.0%} without" for point in any_points)
    sentence = (
        f"{found['metric'].upper()} of {found['n_users']:,} users, all items ranked, when a share of the items that "
        f"have the modality comes without it at test time; the items were drawn once (seed {found['seed']}). "
        f"Popularity, which reads no content, has {found['popularity']:.4f}. Intervals are 95% bootstrap intervals "
        "over users."
    )
    return Table("When content is missing", sentence, "missing", columns, rows)


def _chart(lack: str, ways: Mapping[str, Sequence[Mapping[str, float]]], found: Mapping[str, Any]) -> Chart:
    lines = [[(point["share"], point["mean"]) for point in ways[way]] for way in FILLINGS]
    metric = found["metric"].upper()
    ends = ", ".join(
        f"{points[-1][1]:.4f} {IN_WORDS[way]}" for way, points in zip(FILLINGS, lines, strict=True)
    )
    words = (
        f"{metric} by share of items without {_name(lack)}: {lines[0][0][1]:.4f} with all, with none {ends}"
    )
    return Chart(f"Without {_name(lack)}", missing_chart(lines, metric, found["popularity"], words))


def _name(lack: str) -> str:
    return "any content" if lack == "all" else lack


def _cell(point: Mapping[str, float]) -> Cell:
    return Cell(f"{point['mean']:.4f}", f"{point['low']:.4f}–{point['high']:.4f}")
