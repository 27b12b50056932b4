"""The tables of a section, as Markdown: metrics under each protocol, lists, costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, stdev
from typing import Any

from irisrec.evaluation.significance import MARKED
from irisrec.experiments.markdown import table
from irisrec.experiments.reporting.lists import meaning, measure_in_words
from irisrec.experiments.reporting.words import bytes_in_words, seconds_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.standing import Estimate, Standing


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
    if row["p_holm"] is not None and row["p_holm"] < MARKED:
        value += "*"
    spread = f" ± {row['spread']:.4f}" if row["spread"] is not None else ""
    return f"{value}{spread} [{row['low']:.4f}–{row['high']:.4f}]"


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


def costs_table(methods: Sequence[Method]) -> str:
    """Lay out what the methods cost: means over the seeds with standard deviation, memory the largest."""
    header = ["method", "seeds", "training", "of processors", "epochs", "judging", "peak memory", "threads"]
    return table(header, *([method.name, *_costs(method)] for method in methods))


def _costs(method: Method) -> list[str]:
    peak, threads = method.facts("peak_memory_bytes"), sorted(set(method.facts("threads")))
    epochs = [len(run.epochs) for run in method.runs if run.epochs]
    return [
        str(len(method.runs)),
        _seconds(method.facts("training_seconds")),
        _seconds(method.facts("training_cpu_seconds")),
        f"{mean(epochs):.4g}" if epochs else "–",
        _seconds(method.facts("evaluation_seconds")),
        _or_dash(max(peak, default=None), bytes_in_words),
        ", ".join(map(str, threads)) or "–",
    ]


def _seconds(values: list[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {seconds_in_words(stdev(values))}" if len(values) > 1 else ""
    return seconds_in_words(mean(values)) + spread


def _or_dash(value: Any, in_words: Callable[[Any], str]) -> str:
    return "–" if value is None else in_words(value)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")
