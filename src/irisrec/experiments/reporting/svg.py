"""Matplotlib drawings as SVG that takes its colours and letters from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

# Matplotlib wants real colours: these stand for the page's own, in light and in dark
INK = "#010203"
SERIES = tuple(f"#0302{n:02x}" for n in range(1, 9))
_PAGE_COLOURS = {INK: "currentColor"} | {
    colour: f"var(--series-{n})" for n, colour in enumerate(SERIES, start=1)
}


def draw(paint: Callable[[Any], None], size: tuple[float, float], words: str) -> str:
    """Draw on one pair of axes.

    Args:
        paint: draws on the axes, in ``INK`` and ``SERIES``.
        size: width and height in inches; the page scales the drawing to the room it has.
        words: what it shows, for those who do not see it.

    Returns:
        An ``<svg>`` element without any address, to stand in a page.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": words, "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        paint(axes)
        axes.tick_params(colors=INK)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
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
    for colour, name in _PAGE_COLOURS.items():
        svg = svg.replace(colour, name)
    return svg
