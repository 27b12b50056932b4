"""The main metric of all methods as dots with intervals, a panel per protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.significance import MARKED
from irisrec.experiments.plotting import save
from irisrec.experiments.reporting.charts import paint_intervals
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results.standing import Standing

METHOD, FIRST, INK = "#355e8d", "#c2571a", "#222222"


def draw(stands: Sequence[Standing], path: Path) -> None:
    """Draw to a PNG: a line per method, the best first and coloured, * where it differs from that one."""
    from matplotlib.figure import Figure

    height = 0.3 * len(stands[0].order) + 1.1
    figure = Figure(figsize=(4.6 * len(stands), height), layout="constrained")
    for axes, stand in zip(figure.subplots(1, len(stands), squeeze=False)[0], stands, strict=True):
        rows = [stand.estimate(name, stand.main) for name in stand.order]
        paint_intervals(axes, rows, [FIRST] + [METHOD] * (len(rows) - 1), INK)
        axes.set_title(f"{stand.main.upper()}, {candidates_in_words(stand.protocol)}", fontsize=9, loc="left")
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.25)
        axes.set_axisbelow(True)
    figure.supxlabel(
        f"{LEVEL:.0%} bootstrap interval over users; * differs from the first (Wilcoxon, Holm, p < {MARKED})",
        fontsize=8,
        color=INK,
    )
    save(figure, path)
