"""The sections of origins: how runs learned, what they cost, what differs between them, how to repeat them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from irisrec.experiments.comparing.side_by_side import ABSENT, SideBySide, differing
from irisrec.experiments.reporting.charts import Points, line_charts_overlaid
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.repeat import facts
from irisrec.experiments.reporting.tables import Row, Table, plain_cells
from irisrec.experiments.reporting.training import LOSS, METRIC, kept_epoch, losses, validations
from irisrec.experiments.reporting.words import bytes_in_words, seconds_in_words

COSTS = ("training", "of processors", "per epoch", "epochs", "whole run", "peak memory", "threads")


def training(runs: SideBySide) -> Findings | None:
    """Draw the epochs of all runs that have some into one chart; None where none has."""
    trained = {name: run for name, run in runs.runs.items() if run.epochs}
    if not trained:
        return None
    charts = [_overlaid(runs, trained, title, of) for title, of in ((LOSS, losses), (METRIC, validations))]
    words = (
        "A ring marks the epoch whose weights a run has kept. Losses of different kinds cannot be compared."
    )
    others = [name for name in runs.runs if name not in trained]
    silent = (f"Without epochs: {', '.join(others)}.",) if others else ()
    return Findings(
        words=(words, *silent),
        charts=tuple(chart for chart in charts if chart),
        legend=tuple((runs.colours[name], name) for name in trained),
    )


def _overlaid(
    runs: SideBySide, trained: Mapping[str, FinishedRun], title: str, of: Callable[[FinishedRun], Points]
) -> Chart | None:
    lines = {name: of(run) for name, run in trained.items() if of(run)}
    if not lines:
        return None
    kept = [kept_epoch(trained[name]) for name in lines]
    colours = [runs.colours[name] for name in lines]
    ends = "; ".join(f"{name} {points[-1][1]:.4g}" for name, points in lines.items())
    words = f"{title} by epoch, in the last one: {ends}"
    return Chart(title, line_charts_overlaid([*lines.values()], kept, colours, words))


def costs(runs: SideBySide) -> Findings:
    """Lay out time and memory."""
    rows = tuple(
        Row(name, plain_cells(_costs(run)), runs.comparison.runs[name]) for name, run in runs.runs.items()
    )
    words = (
        "Training is the time for fitting alone; the whole run goes from config to report, encoding included, which is "
        "quick where vectors were in the store. Only times from one machine, with nothing else to do, can be compared; "
        "those of its processors, all threads together, depend less on what else it does."
    )
    return Findings(words=(words,), tables=(Table("", "", "run", COSTS, rows),))


def _costs(run: FinishedRun) -> list[str]:
    info = run.info
    return [
        _words(info.get("training_seconds"), seconds_in_words),
        _words(info.get("training_cpu_seconds"), seconds_in_words),
        _words(info.get("seconds_per_epoch"), seconds_in_words),
        _words(len(run.epochs), str),
        _words(info.get("seconds"), seconds_in_words),
        _words(info.get("peak_memory_bytes"), bytes_in_words),
        _words(info.get("threads"), str),
    ]


def _words(value: Any, print_: Callable[[Any], str]) -> str:
    return print_(value) if value else "–"


def differences(runs: SideBySide) -> Findings:
    """Lay out the options in which the configs differ, apart from those that only some models have."""
    options = {
        name: {option: str(value) for option, value in run.config.options().items()}
        for name, run in runs.runs.items()
    }
    rows, _ = differing(options)
    if not rows:
        return Findings(words=("The configs of all runs are the same.",))
    chosen = tuple(row for row in rows if len({cell.value for cell in row.cells} - {ABSENT}) > 1)
    others = tuple(row for row in rows if row not in chosen)
    return Findings(
        words=("Options that are not listed are the same for all runs that have them.",),
        tables=(Table("", "", "option", tuple(options), chosen),) if chosen else (),
        folded=(Table("Options that only some of the runs have", "", "option", tuple(options), others),)
        if others
        else (),
    )


def repeat(runs: SideBySide) -> Findings:
    """Say what made each run, and how to compare them again."""
    origins, same = differing({name: _origin(run.info) for name, run in runs.runs.items()})
    packages, equal = differing({name: run.info.get("versions", {}) for name, run in runs.runs.items()})
    rows = origins + packages
    paths = " ".join(shlex.quote(str(run.folder.path)) for run in runs.runs.values())
    shared = {
        "command": f"irisrec compare {paths} --out FOLDER",
        **same,
        "packages": ", ".join(f"{name} {version}" for name, version in equal.items()),
    }
    return Findings(
        tables=(Table("What differs", "", "fact", tuple(runs.runs), rows),) if rows else (),
        meanings=tuple((name, value) for name, value in shared.items() if value),
    )


def _origin(info: dict[str, Any]) -> dict[str, str]:
    elsewhere = ("time", "peak memory", "packages")
    return {name: value for name, value in facts(info).items() if name not in elsewhere}
