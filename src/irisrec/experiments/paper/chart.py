"""Pictures of the reproduced tables: ours with intervals beside the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from irisrec.experiments.plotting import save
from irisrec.experiments.reporting.words import candidates_in_words

PAPER, OURS, INK = "#c2571a", "#355e8d", "#222222"
COLUMNS = 2


def draw_beside_paper(rows: pl.DataFrame, path: Path) -> None:
    """Draw a panel per metric: the paper's value as a ring, ours as a point with its interval."""
    from matplotlib.figure import Figure

    panels = list(rows.group_by(["protocol", "metric"], maintain_order=True))
    n_rows = -(-len(panels) // COLUMNS)
    height = 0.3 * rows["method"].n_unique() + 0.9
    figure = Figure(figsize=(9, height * n_rows + 0.5), layout="constrained")
    grid = figure.subplots(n_rows, COLUMNS, squeeze=False, sharey=True)
    for axes, ((protocol, metric), part) in zip(grid.flat, panels, strict=False):
        _panel(axes, part.to_dicts())
        axes.set_title(f"{str(metric).upper()}, {candidates_in_words(str(protocol))}", fontsize=9, loc="left")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    grid[0, 0].invert_yaxis()  # shared: the first method on top everywhere
    grid[0, 0].legend(fontsize=8, frameon=False, loc="best")
    save(figure, path)


def _panel(axes: Any, rows: list[dict[str, Any]]) -> None:
    places = range(len(rows))
    means = [row["mean"] for row in rows]
    errors = [
        [row["mean"] - row["low"] for row in rows],
        [row["high"] - row["mean"] for row in rows],
    ]
    axes.errorbar(means, places, xerr=errors, fmt="o", color=OURS, capsize=2, markersize=5, label="ours")
    papers = [row["paper"] for row in rows]
    axes.plot(papers, places, "D", markersize=7, markerfacecolor="none", color=PAPER, label="the paper")
    axes.set_yticks(places, [row["method"] for row in rows], fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
