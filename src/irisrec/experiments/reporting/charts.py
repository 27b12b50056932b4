"""The charts of a report: curves by epoch, probabilities against what happened, means with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irisrec.evaluation.significance import MARKED
from irisrec.experiments.reporting.svg import INK, SERIES, draw

Points = Sequence[tuple[float, float]]
Rows = Sequence[Mapping[str, Any]]
SIZE = (4.2, 2.5)


def line_chart(points: Points, marked: int, words: str, form: str) -> str:
    """Draw values by epoch and mark one of them.

    Args:
        points: (epoch, value), ascending.
        marked: the epoch to mark.
        words: what the chart shows, for those who do not see it.
        form: format of the marked value.
    """

    def paint(axes: Any) -> None:
        _epochs(axes, points, marked, SERIES[0])
        value = dict(points).get(marked)
        axes.axvline(marked, color=INK, linewidth=0.8, linestyle=(0, (3, 3)), alpha=0.6)
        label = f"kept: epoch {marked}" + ("" if value is None else f", {value:{form}}")
        side = "right" if marked > (points[0][0] + points[-1][0]) / 2 else "left"
        axes.text(marked, 1.03, label, transform=axes.get_xaxis_transform(), ha=side, color=INK)

    return draw(paint, SIZE, words)


def line_charts_overlaid(
    lines: Sequence[Points], kept: Sequence[int], colours: Sequence[int], words: str
) -> str:
    """Draw values by epoch of several runs, a ring on the epoch that each has kept.

    ``colours`` are places in the colours of the page, so that a run has one colour in all charts.
    """

    def paint(axes: Any) -> None:
        for points, marked, colour in zip(lines, kept, colours, strict=True):
            _epochs(axes, points, marked, series(colour))

    return draw(paint, SIZE, words)


def series(n: int) -> str:
    """Return the colour of the nth run; there are eight, then they come again."""
    return SERIES[n % len(SERIES)]


def _epochs(axes: Any, points: Points, marked: int, colour: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs, values = zip(*points, strict=True)
    axes.plot(epochs, values, color=colour, linewidth=1.8, marker="o", markersize=3)
    if marked in epochs:
        at = values[epochs.index(marked)]
        axes.plot([marked], [at], "o", markersize=8, markerfacecolor="none", color=colour)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def reliability_chart(lines: Sequence[Points], colours: Sequence[int], words: str) -> str:
    """Draw (probability, share of targets) for each run; on the dashed line the two are equal."""

    def paint(axes: Any) -> None:
        highest = 1.05 * max(max(point) for points in lines for point in points)
        axes.plot([0, highest], [0, highest], color=INK, linewidth=0.8, linestyle=(0, (3, 3)), alpha=0.6)
        for points, colour in zip(lines, colours, strict=True):
            said, seen = zip(*points, strict=True)
            axes.plot(said, seen, color=series(colour), linewidth=1.8, marker="o", markersize=4)
        axes.set(xlim=(0, highest), ylim=(0, highest), xlabel="probability", ylabel="share of targets")
        axes.locator_params(nbins=5)

    return draw(paint, (4.2, 3.2), words)


def share_chart(lines: Sequence[Points], colours: Sequence[int], labels: tuple[str, str], words: str) -> str:
    """Draw shares against shares, named by ``labels``; the dashed line falls or rises evenly from the first's ends."""

    def paint(axes: Any) -> None:
        ends = [lines[0][0], lines[0][-1]]
        axes.plot(*zip(*ends, strict=True), color=INK, linewidth=0.8, linestyle=(0, (3, 3)), alpha=0.6)
        for points, colour in zip(lines, colours, strict=True):
            axes.plot(*zip(*points, strict=True), color=series(colour), linewidth=1.8)
        axes.set(xlim=(0, 1), xlabel=labels[0], ylabel=labels[1])
        axes.locator_params(nbins=5)

    return draw(paint, (4.2, 3.2), words)


def missing_chart(lines: Sequence[Points], metric: str, floor: float, words: str) -> str:
    """Draw (share of items without content, metric) for each way of telling the model; ``floor`` is dashed."""

    def paint(axes: Any) -> None:
        axes.axhline(floor, color=INK, linewidth=0.8, linestyle=(0, (3, 3)), alpha=0.6)
        axes.text(0, floor, "popularity", va="bottom", color=INK, alpha=0.7)
        for place, points in enumerate(lines):
            axes.plot(
                *zip(*points, strict=True), color=series(place), linewidth=1.8, marker="o", markersize=4
            )
        axes.set(xlim=(-0.02, 1.02), xlabel="share of items without", ylabel=metric)
        axes.set_ylim(bottom=0)
        axes.set_xticks([point[0] for point in lines[0]])

    return draw(paint, (4.2, 3.2), words)


def interval_chart(rows: Rows, words: str) -> str:
    """Draw means with their intervals, one line per run, the first on top; * where a difference is marked.

    Args:
        rows: of `significance.compare`, of one protocol and metric.
        words: what the chart shows.
    """
    colours = [series(place) for place in range(len(rows))]
    return draw(lambda axes: paint_intervals(axes, rows, colours, INK), (4.2, 0.3 * len(rows) + 0.6), words)


def paint_intervals(axes: Any, rows: Rows, colours: Sequence[str], ink: str) -> None:
    """Paint what `interval_chart` draws."""
    for place, (row, colour) in enumerate(zip(rows, colours, strict=True)):
        if row["mean"] is None:
            continue
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=2.4)
        axes.plot([row["mean"]], [place], "o", color=colour, markersize=6)
        if row["p_holm"] is not None and row["p_holm"] < MARKED:
            at = {"xytext": (4, -3), "textcoords": "offset points", "va": "center"}
            axes.annotate("*", (row["high"], place), color=ink, fontsize=12, **at)
    axes.set_yticks(range(len(rows)), [shortened(row["run"]) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5)


def shortened(name: str, longest: int = 22) -> str:
    """Cut a long name in its middle.

    >>> shortened("multimodal-iris-wide-decay-0.3-seed-2")
    'multimodal-…0.3-seed-2'
    """
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[half - longest + 1 :]}"
