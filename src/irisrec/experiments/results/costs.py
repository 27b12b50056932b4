"""What methods cost: a row per method and machine, for times of two machines have no common mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from irisrec.experiments.markdown import table
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import bytes_in_words, seconds_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.place import Place

_COLUMNS = (
    "method",
    "trained on",
    "seeds",
    "training",
    "epochs",
    "of these each",
    "of processors",
    "judging",
)


def costs_table(methods: Sequence[Method], places: Mapping[Place, str]) -> str:
    """Lay out costs: means over the seeds trained on one machine with standard deviation, memory the largest.

    Args:
        methods: in the order of the rows.
        places: names of the machines, see `name_places`.
    """
    rows = []
    for method in methods:
        by_place: dict[Place, list[FinishedRun]] = {}
        for run in method.runs:
            by_place.setdefault(Place.of(run), []).append(run)
        rows += [[method.name, places[place], *_costs(runs)] for place, runs in by_place.items()]
    return table([*_COLUMNS, "peak memory"], *rows)


def places_in_words(places: Mapping[Place, str]) -> list[str]:
    """Say what the names of the machines stand for, and that their times are not to be compared."""
    named = [f"{name}: {place}." for place, name in places.items()]
    if len(places) > 1:
        named.append("Times of different machines cannot be held against one another.")
    return named


def _costs(runs: Sequence[FinishedRun]) -> list[str]:
    epochs = [len(run.epochs) for run in runs if run.epochs]
    peak = _facts(runs, "peak_memory_bytes")
    return [
        str(len(runs)),
        _seconds(_facts(runs, "training_seconds")),
        f"{mean(epochs):.4g}" if epochs else "–",
        _seconds(_facts(runs, "seconds_per_epoch")),
        _seconds(_facts(runs, "training_cpu_seconds")),
        _seconds(_facts(runs, "evaluation_seconds")),
        _or_dash(max(peak, default=None), bytes_in_words),
    ]


def _facts(runs: Sequence[FinishedRun], name: str) -> list[Any]:
    """Return an entry of ``run.json`` of every run that has it."""
    return [run.info[name] for run in runs if run.info.get(name) is not None]


def _seconds(values: list[float]) -> str:
    if not values:
        return "–"
    spread = f" ± {seconds_in_words(stdev(values))}" if len(values) > 1 else ""
    return seconds_in_words(mean(values)) + spread


def _or_dash(value: Any, in_words: Callable[[Any], str]) -> str:
    return "–" if value is None else in_words(value)
