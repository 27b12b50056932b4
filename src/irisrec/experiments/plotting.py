"""What our Matplotlib pictures share."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save(figure: Any, path: Path) -> None:
    """Write a figure as PNG, whatever the path is called."""
    figure.savefig(path, dpi=140, format="png")


def log_axis(axes: Any, low: float, high: float) -> None:
    """Make x logarithmic, with plain numbers that do not run into one another between ``low`` and ``high``."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 50 * low else (1.0,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.9g}"))
    axes.xaxis.set_minor_locator(NullLocator())
