"""A comparison as dots with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.significance import MARKED
from irisrec.experiments.compare import Comparison
from irisrec.experiments.reporting.charts import paint_intervals
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.files import atomic_path

COLUMNS = 4
RUN, REFERENCE, INK = "#355e8d", "#9aa7b5", "#222222"


def draw(comparison: Comparison, path: Path) -> None:
    """Draw one panel per protocol and metric to a PNG: a line per run, the reference in grey, * where marked."""
    from matplotlib.figure import Figure

    panels = list(comparison.table.group_by(["protocol", "metric"], maintain_order=True))
    n_columns = min(COLUMNS, len(panels))
    n_rows = -(-len(panels) // n_columns)
    height = 0.32 * len(comparison.runs) + 0.9
    figure = Figure(figsize=(3.1 * n_columns + 1, height * n_rows + 0.4), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    for axes, ((protocol, metric), table) in zip(grid.flat, panels, strict=False):
        _panel(axes, table.to_dicts())
        axes.set_title(f"{str(metric).upper()}, {candidates_in_words(str(protocol))}", fontsize=9, loc="left")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel(
        f"mean over {comparison.n_users:,} users, {LEVEL:.0%} bootstrap interval; * differs from "
        f"{comparison.reference} (Wilcoxon, Holm, p < {MARKED})",
        fontsize=8,
        color=INK,
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=140, format="png")


def _panel(axes: Any, rows: list[dict[str, Any]]) -> None:
    colours = [REFERENCE if row["difference"] is None else RUN for row in rows]
    paint_intervals(axes, rows, colours, INK)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
