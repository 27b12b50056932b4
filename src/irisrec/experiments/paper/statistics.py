"""Table I: how many users, items and interactions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import polars as pl

from irisrec.experiments.markdown import table
from irisrec.experiments.paper.chart import OURS, PAPER
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.numbers import Spec, statistics_of
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Workshop
from irisrec.experiments.plotting import log_axis, save

COUNTS = ("users", "items", "interactions", "density")


def statistics(stem: str, spec: Spec, sources: Sequence[Source], workshop: Workshop) -> Exhibit:
    """Count the given data beside the paper's."""
    rows = pl.DataFrame([row for source in sources for row in _rows(source, workshop)])
    notes = [note for source in sources for note in _notes(source, workshop)]
    return Exhibit(
        stem, spec["title"], _body(rows), {"What was done to the data": notes}, rows, partial(_draw, rows)
    )


def _rows(source: Source, workshop: Workshop) -> list[dict[str, object]]:
    dataset, theirs = workshop.dataset(source), statistics_of(source.plays)
    assert theirs is not None
    counts = (dataset.n_users, dataset.n_items, dataset.n_interactions)
    density = dataset.n_interactions / (dataset.n_users * dataset.n_items)
    words = source.words
    if source.name != source.plays:
        words += f", in the place of {source.plays.capitalize()}"
    return [
        {
            "data": source.name,
            "in_words": words,
            "count": name,
            "paper": float(theirs[name]),
            "ours": float(value),
        }
        for name, value in zip(COUNTS, (*counts, density), strict=True)
    ]


def _body(rows: pl.DataFrame) -> str:
    lines = []
    for row in rows.iter_rows(named=True):
        form = ".3%" if row["count"] == "density" else ",.0f"
        lines.append([row["in_words"], row["count"], f"{row['paper']:{form}}", f"{row['ours']:{form}}"])
    return table(["data", "", "paper", "ours"], *lines)


def _notes(source: Source, workshop: Workshop) -> list[str]:
    return [f"{source.words}: {note}" for note in workshop.dataset(source).notes]


def _draw(rows: pl.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    names = rows.unique("data", maintain_order=True)["in_words"].to_list()
    places = range(len(names))
    figure = Figure(figsize=(10, 0.4 * len(names) + 1.4), layout="constrained")
    for axes, count in zip(figure.subplots(1, len(COUNTS), sharey=True), COUNTS, strict=True):
        part = rows.filter(pl.col("count") == count)
        axes.plot(part["ours"], places, "o", color=OURS, label="ours")
        axes.plot(part["paper"], places, "D", markerfacecolor="none", color=PAPER, label="the paper")
        shown = [*part["ours"], *part["paper"]]
        if max(shown) > 2 * min(shown):
            log_axis(axes, min(shown), max(shown))
        else:
            axes.set_xlim(0, 1.25 * max(shown))  # from nothing: what is alike looks alike
            axes.locator_params(axis="x", nbins=4)
        axes.set_yticks(places, names, fontsize=8)
        axes.set_title(count, fontsize=9, loc="left")
        axes.tick_params(axis="x", which="both", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.25)
        axes.margins(y=0.2)
    axes.legend(fontsize=7, frameon=False)
    axes.invert_yaxis()
    save(figure, path)
