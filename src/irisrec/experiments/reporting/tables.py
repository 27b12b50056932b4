"""Tables as a page and a terminal show them: cells with a value and what is to be known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from irisrec.errors import count_of
from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.significance import MARKED
from irisrec.experiments.reporting.words import candidates_in_words


@dataclass(frozen=True)
class Cell:
    """A value, the interval it lies in, and its difference to the reference, starred where more than chance."""

    value: str
    interval: str = ""
    difference: str = ""
    is_best: bool = False

    def __str__(self) -> str:
        interval = f"[{self.interval}]" if self.interval else ""
        return " ".join(part for part in (self.value, interval, self.difference) if part)


@dataclass(frozen=True)
class Row:
    """A row: its name, a few words about it, its cells; ``is_own`` for what the page is about."""

    name: str
    cells: tuple[Cell, ...]
    remark: str = ""
    is_own: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its title, what it shows, the head of its first column, the others, its rows."""

    title: str
    sentence: str
    head: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def plain_cells(values: Sequence[str]) -> tuple[Cell, ...]:
    """Return cells without intervals."""
    return tuple(Cell(value) for value in values)


def estimate(row: Mapping[str, Any], *, is_best: bool = False) -> Cell:
    """Return the cell of a row of `significance.compare` or of `slices.slices`."""
    if row["mean"] is None:
        return Cell("–")
    difference = ""
    if row["difference"] is not None:
        is_marked = row.get("p_holm") is not None and row["p_holm"] < MARKED
        difference = f"{row['difference'] + 0.0:+.4f}{'*' if is_marked else ''}".replace("-", "−")
    return Cell(f"{row['mean']:.4f}", f"{row['low']:.4f}–{row['high']:.4f}", difference, is_best)


def by_protocol(table: pl.DataFrame, runs: Mapping[str, str], own: str = "") -> list[Table]:
    """Lay out a table of `significance.compare`: one table per protocol, a row per run, a column per metric.

    Args:
        table: as said.
        runs: {run: a few words about it}, in the order of the rows.
        own: the run that the page is about.
    """
    return [
        _one_protocol(str(protocol), part, runs, own)
        for (protocol,), part in table.group_by("protocol", maintain_order=True)
    ]


def _one_protocol(protocol: str, part: pl.DataFrame, runs: Mapping[str, str], own: str) -> Table:
    metrics = part["metric"].unique(maintain_order=True).to_list()
    best = dict(part.group_by("metric").agg(pl.col("mean").max()).iter_rows())
    cells = {
        (row["run"], row["metric"]): estimate(
            row, is_best=len(runs) > 1 and row["mean"] is not None and row["mean"] == best[row["metric"]]
        )
        for row in part.iter_rows(named=True)
    }
    rows = tuple(
        Row(run, tuple(cells[run, metric] for metric in metrics), remark, run == own)
        for run, remark in runs.items()
    )
    title = f"Targets ranked among {candidates_in_words(protocol)}"
    return Table(title, "", "run", tuple(metric.upper() for metric in metrics), rows)


def by_slice(table: pl.DataFrame, runs: Sequence[str]) -> list[Table]:
    """Lay out a table of `slices.slices`: one table per protocol, a row per slice, a column per run."""
    found = []
    for (protocol,), part in table.group_by("protocol", maintain_order=True):
        rows = []
        for (name,), cells in part.group_by("slice", maintain_order=True):
            of = {row["run"]: row for row in cells.iter_rows(named=True)}
            highest = max((row["mean"] for row in of.values() if row["mean"] is not None), default=None)
            rows.append(
                Row(
                    str(name),
                    tuple(
                        estimate(of[run], is_best=len(runs) > 1 and of[run]["mean"] == highest)
                        for run in runs
                    ),
                    count_of(cells["n_users"][0], "user"),
                )
            )
        title = f"{part['metric'][0].upper()}, targets ranked among {candidates_in_words(str(protocol))}"
        found.append(Table(title, "", "targets and histories", tuple(runs), tuple(rows)))
    return found


def rule(reference: str = "", *, starred: bool = True) -> str:
    """Say how to read intervals, and where there is a reference also differences and stars."""
    words = f"Intervals are {LEVEL:.0%} bootstrap intervals over users"
    if reference:
        words += f", drawn for all runs at once; differences are to {reference}"
    if reference and starred:
        words += f", * where Wilcoxon’s signed-rank test gives p < {MARKED}, corrected by Holm over all tests shown"
    return f"{words}."
