"""Charts as SVG that takes its colours and letters from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape

# Matplotlib wants real colours: these stand for the page's own, in light and in dark
INK, LINE = "#010203", "#030201"
PAGE_COLOURS = {INK: "currentColor", LINE: "var(--accent)"}


def line_chart(points: Sequence[tuple[int, float]], marked: int, words: str, form: str) -> str:
    """Draw values by epoch and mark one of them.

    Args:
        points: (epoch, value), ascending.
        marked: the epoch to mark.
        words: what the chart shows, for those who do not see it.
        form: format of the marked value.

    Returns:
        An ``<svg>`` element without any address, to stand in a page.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": words, "font.size": 9}):
        figure = Figure(figsize=(4.2, 2.5), layout="constrained")
        axes = figure.subplots()
        epochs, values = zip(*points, strict=True)
        axes.plot(epochs, values, color=LINE, linewidth=1.8, marker="o", markersize=3)
        value = dict(points).get(marked)
        axes.axvline(marked, color=INK, linewidth=0.8, linestyle=(0, (3, 3)), alpha=0.6)
        if value is not None:
            axes.plot([marked], [value], "o", markersize=8, markerfacecolor="none", color=LINE)
        label = f"kept: epoch {marked}" + ("" if value is None else f", {value:{form}}")
        is_right = marked > (epochs[0] + epochs[-1]) / 2
        axes.text(
            marked,
            1.03,
            label,
            transform=axes.get_xaxis_transform(),
            ha="right" if is_right else "left",
            color=INK,
        )
        axes.set_xlabel("epoch", color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.tick_params(colors=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        axes.grid(color=INK, alpha=0.12)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return _for_a_page(drawn.getvalue(), words)


def _for_a_page(svg: str, words: str) -> str:
    """Keep the drawing alone: no prolog, no metadata, no size of its own, no ids that would stand twice."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    view_box = re.search(r'viewBox="[^"]*"', svg)
    svg = re.sub(
        r"<svg[^>]*>",
        f'<svg {view_box.group() if view_box else ""} role="img" aria-label="{escape(words)}">',
        svg,
        count=1,
    )
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    for colour, name in PAGE_COLOURS.items():
        svg = svg.replace(colour, name)
    return svg
