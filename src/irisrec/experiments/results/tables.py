"""The tables of a section, as Markdown: metrics under each protocol, differences, lists."""

from __future__ import annotations

from collections.abc import Sequence

from irisrec.experiments.markdown import table
from irisrec.experiments.reporting.lists import meaning, measure_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.standing import Estimate, Standing, is_marked

FIRST_MARK, IRIS_MARK = "*", "†"
_LEAST = 0.0001  # p below it are not told apart


def metrics_table(standing: Standing) -> str:
    """Lay out a standing: a row per method, the best first, a column per metric.

    Among sampled candidates only the metrics at the cutoff of the main one.
    """
    cutoff = standing.main.partition("@")[2]
    shown = [
        m for m in standing.metrics if standing.protocol == "full" or m.partition("@")[2] in ("", cutoff)
    ]
    highest = {m: max(standing.estimate(name, m)["mean"] or 0.0 for name in standing.order) for m in shown}
    rows = [
        [name, *(_cell(standing.estimate(name, metric), highest[metric]) for metric in shown)]
        for name in standing.order
    ]
    return table(["method", *(metric.upper() for metric in shown)], *rows)


def _cell(row: Estimate, highest: float) -> str:
    if row["mean"] is None:
        return "–"
    value = f"{row['mean']:.4f}"
    if row["mean"] == highest:
        value = f"**{value}**"
    value += FIRST_MARK * is_marked(row) + IRIS_MARK * is_marked(row, "iris_")
    spread = f" ± {row['spread']:.4f}" if row["spread"] is not None else ""
    return f"{value}{spread} [{row['low']:.4f}–{row['high']:.4f}]"


def differences_table(standing: Standing) -> str:
    """Lay out how far every method is from the first and from the best IRIS model in the main metric."""
    references = [(standing.order[0], "")]
    if standing.has_two_references:
        references.append((str(standing.iris), "iris_"))
    header = ["method"]
    for name, _ in references:
        header += [f"minus {name}", "p"]
    rows = []
    for name in standing.order:
        row = standing.estimate(name, standing.main)
        rows.append([name, *(cell for _, prefix in references for cell in _difference(row, prefix))])
    return table(header, *rows)


def _difference(row: Estimate, prefix: str) -> tuple[str, str]:
    if row[f"{prefix}difference"] is None:
        return "–", "–"
    difference, low, high = (
        f"{round(row[prefix + name], 4) + 0.0:+.4f}".replace("-", "−")
        for name in ("difference", "difference_low", "difference_high")
    )
    p = row[f"{prefix}p_holm"]
    return f"{difference} [{low}, {high}]", f"< {_LEAST}" if p < _LEAST else f"{p:.4f}"


def lists_table(methods: Sequence[Method]) -> str:
    """Lay out what the lists of each method are like, at the first cutoff; empty where none was measured."""
    shown = _shown(methods)
    if not shown:
        return ""
    header = ["method", *(measure_in_words(name) for name in shown)]
    return table(header, *([one.name, *(_number(one.lists.get(name)) for name in shown)] for one in methods))


def meanings(methods: Sequence[Method]) -> list[str]:
    """Say what the columns of `lists_table` are."""
    return [f"{measure_in_words(name)}: {meaning(name)}." for name in _shown(methods)]


def _shown(methods: Sequence[Method]) -> list[str]:
    """Return the list measures at the first cutoff, but for what depends on no method."""
    names = dict.fromkeys(name for method in methods for name in method.lists)
    first = next(iter(names), "").partition("@")[2]
    return [n for n in names if n.partition("@")[2] == first and not n.startswith("popularity_histories")]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")
