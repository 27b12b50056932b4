"""Measurements as a table and a picture: medians over the rounds, their spread, and ratios to ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from peers.speed_task import METHODS

from irisrec.experiments.markdown import table
from irisrec.experiments.plotting import log_axis, save

Rounds = Mapping[str, Sequence[Mapping[str, float]]]
WHAT = {
    "epoch": "training",
    "judge": "judging",
    "bulk": "all lists",
    "single": "one request",
    "peak": "memory",
}
_COLOUR, _INK = "#355e8d", "#222222"


def table_of(rounds: Rounds, n_users: int) -> str:
    """Lay out a row per method.

    Args:
        rounds: {method: what each round measured}.
        n_users: for whom times per user are multiplied.
    """
    units: dict[str, tuple[str, Callable[[float], str]]] = {
        "epoch": ("epoch or fit, s", lambda value: f"{value:,.2f}"),
        "judge": ("judging all, s", lambda value: f"{n_users * value:,.2f}"),
        "bulk": ("lists for all, s", lambda value: f"{n_users * value:,.2f}"),
        "single": ("one request, ms", lambda value: f"{1e3 * value:,.2f}"),
        "peak": ("peak, MB", lambda value: f"{value / 1e6:,.0f}"),
    }
    header = ["method", "rounds", "measured of an epoch"]
    for head, _ in units.values():
        header += [head, "÷ ours"]
    rows = []
    for name, found in rounds.items():
        cells = [name, str(len(found)), f"{min(1.0, min(one['timed'] for one in found)):.2%}"]
        for key, (_, form) in units.items():
            low, middle, high = _of_rounds(found, key)
            spread = f" ({form(low)}–{form(high)})" if len(found) > 1 else ""
            ratio = ratio_of(rounds, name, key)
            cells += [
                form(middle) + spread,
                "" if ratio is None else f"{ratio:,.2g}" if ratio < 10 else f"{ratio:,.0f}",
            ]
        rows.append(cells)
    notes = "Medians over the rounds (least–largest). EASE and iALS have no epochs: the whole fit is given."
    return f"{table(header, *rows)}\n\n{notes}"


def ratio_of(rounds: Rounds, name: str, key: str) -> float | None:
    """Return how many times ours a peer takes, by medians; None for ours, and where ours was not measured."""
    ours = METHODS[name].beside
    if ours not in rounds:
        return None
    return _of_rounds(rounds[name], key)[1] / _of_rounds(rounds[ours], key)[1]


def _of_rounds(found: Sequence[Mapping[str, float]], key: str) -> tuple[float, float, float]:
    values = [one[key] for one in found]
    return min(values), median(values), max(values)


def draw(rounds: Rounds, path: Path) -> None:
    """Draw a panel per quantity: how many times ours each peer takes, on a logarithmic axis."""
    from matplotlib.figure import Figure

    peers = [name for name in rounds if ratio_of(rounds, name, "epoch") is not None]
    if not peers:
        return
    figure = Figure(figsize=(2.2 * len(WHAT) + 1.6, 0.36 * len(peers) + 1.2), layout="constrained")
    for axes, (key, words) in zip(figure.subplots(1, len(WHAT), sharey=True), WHAT.items(), strict=True):
        ratios = [ratio_of(rounds, name, key) or 1.0 for name in peers]
        axes.axvline(1.0, color=_INK, linewidth=0.8)
        axes.hlines(range(len(peers)), 1.0, ratios, color=_COLOUR, linewidth=2.2)
        axes.plot(ratios, range(len(peers)), "o", color=_COLOUR, markersize=5)
        for place, ratio in enumerate(ratios):
            near = f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.2g}×"
            axes.annotate(
                near, (ratio, place), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=7
            )
        log_axis(axes, min(0.3, *ratios), max(3.0, *ratios))
        axes.set_yticks(range(len(peers)), peers, fontsize=8)
        axes.set_ylim(len(peers) - 0.5, -0.7)
        axes.set_title(words, fontsize=9, loc="left")
        axes.tick_params(axis="x", which="both", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("times ours; the line is 1, to its right ours needs less", fontsize=8)
    save(figure, path)
