"""The main metric of all methods as dots with intervals, a panel per protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.significance import MARKED
from irisrec.experiments.plotting import save
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.standing import Standing, is_marked

OTHER, IRIS, INK = "#355e8d", "#c2571a", "#222222"


def draw(stands: Sequence[Standing], methods: Sequence[Method], path: Path) -> None:
    """Draw to a PNG: a line per method, the best first; IRIS models in their own colour, * as in the table."""
    from matplotlib.figure import Figure

    of_iris = {method.name for method in methods if method.is_iris}
    height = 0.24 * len(stands[0].order) + 0.6
    figure = Figure(figsize=(7.5, height * len(stands) + 0.4), layout="constrained")
    for axes, stand in zip(figure.subplots(len(stands), squeeze=False)[:, 0], stands, strict=True):
        _paint(axes, stand, of_iris)
        axes.set_title(f"{stand.main.upper()}, {candidates_in_words(stand.protocol)}", fontsize=9, loc="left")
    orange = "; orange: IRIS models" if of_iris else ""
    figure.supxlabel(
        f"{LEVEL:.0%} bootstrap interval over users; ticks: single seeds{orange}\n"
        f"* differs from the first (Wilcoxon, Holm, p < {MARKED}, and by the interval of the difference)",
        fontsize=8,
        color=INK,
    )
    save(figure, path)


def _paint(axes: Any, stand: Standing, of_iris: set[str]) -> None:
    for place, name in enumerate(stand.order):
        row = stand.estimate(name, stand.main)
        if row["mean"] is None:
            continue
        colour = IRIS if name in of_iris else OTHER
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=2.2)
        axes.plot([row["mean"]], [place], "o", color=colour, markersize=5)
        seeds = stand.seeds.get(name, ())
        axes.plot(seeds, [place] * len(seeds), "|", color=INK, markersize=9, markeredgewidth=0.9)
        if is_marked(row):
            at = {"xytext": (4, -3), "textcoords": "offset points", "va": "center"}
            axes.annotate("*", (row["high"], place), color=INK, fontsize=11, **at)
    axes.set_yticks(range(len(stand.order)), stand.order)
    axes.set_ylim(len(stand.order) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
