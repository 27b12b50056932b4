"""A comparison in letters: for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from irisrec.errors import count_of
from irisrec.experiments.compare import LEVEL, MARKED, Comparison
from irisrec.experiments.reporting.words import candidates_in_words


def as_text(comparison: Comparison) -> str:
    """Lay out one table per protocol: a row per run, a column per metric."""
    return "\n".join([_rule(comparison), *(_lines(*table) for table in tables(comparison))])


def rows_as_text(table: pl.DataFrame) -> str:
    """Lay out the table of `significance.compare` alone."""
    runs = dict.fromkeys(table["run"], "")
    return "\n".join(
        _lines(title, [header[0], *header[2:]], [[row[0], *row[2:]] for row in rows])
        for title, header, rows in _tables(table, runs)
    )


def _lines(title: str, header: list[str], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
    return "\n".join(["", title, *lines])


def as_markdown(comparison: Comparison) -> str:
    """Lay out the same tables as Markdown, and one of slices."""
    parts = ["# " + " · ".join(comparison.runs), _rule(comparison)]
    for protocol, header, rows in tables(comparison):
        parts += [f"## {protocol}", _markdown(header, rows)]
    if len(comparison.slices):
        metric = comparison.slices["metric"][0]
        parts.append(f"## {metric.upper()} by slices of users")
        for (protocol,), table in comparison.slices.group_by("protocol", maintain_order=True):
            parts += [f"### Among {candidates_in_words(str(protocol))}", _slices(comparison, table)]
    return "\n\n".join(parts) + "\n"


def tables(comparison: Comparison) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return (protocol in words, header, rows of cells) for every protocol."""
    return _tables(comparison.table, comparison.runs)


def _tables(table: pl.DataFrame, runs: Mapping[str, str]) -> list[tuple[str, list[str], list[list[str]]]]:
    found = []
    for (protocol,), part in table.group_by("protocol", maintain_order=True):
        metrics = part["metric"].unique(maintain_order=True).to_list()
        cells = {(row["run"], row["metric"]): _cell(row) for row in part.iter_rows(named=True)}
        rows = [[run, model, *(cells[run, metric] for metric in metrics)] for run, model in runs.items()]
        title = f"Targets ranked among {candidates_in_words(str(protocol))}"
        found.append((title, ["run", "model", *(m.upper() for m in metrics)], rows))
    return found


def _rule(comparison: Comparison) -> str:
    return (
        f"{count_of(comparison.n_users, 'user')}; means with {LEVEL:.0%} intervals of a paired bootstrap over users; "
        f"differences are to {comparison.reference}, * where Wilcoxon's signed-rank test gives p < {MARKED} after "
        "Holm's correction over all tests shown."
    )


def _cell(row: dict[str, Any]) -> str:
    if row["mean"] is None:
        return "–"
    words = f"{row['mean']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
    if row["difference"] is None:
        return words
    mark = "*" if row.get("p_holm") is not None and row["p_holm"] < MARKED else ""
    return f"{words} {row['difference']:+.4f}{mark}".replace("-", "−")


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _slices(comparison: Comparison, table: pl.DataFrame) -> str:
    rows = [
        [str(name), f"{part['n_users'][0]:,}", *(_cell(row) for row in part.iter_rows(named=True))]
        for (name,), part in table.group_by("slice", maintain_order=True)
    ]
    return _markdown(["users", "n", *comparison.runs], rows)
