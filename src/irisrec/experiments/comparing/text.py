"""A comparison in letters: for a terminal and as Markdown."""

from __future__ import annotations

import polars as pl

from irisrec.errors import count_of
from irisrec.experiments.compare import Comparison
from irisrec.experiments.markdown import table as markdown_table
from irisrec.experiments.reporting.tables import Table, by_protocol, by_slice, rule


def as_text(comparison: Comparison) -> str:
    """Lay out one table per protocol: a row per run, a column per metric."""
    tables = by_protocol(comparison.table, comparison.runs)
    return "\n".join([_rule(comparison), *(_lines(table.title, _grid(table, "model")) for table in tables)])


def table_as_text(table: Table) -> str:
    """Lay out one table."""
    return _lines(table.title, _grid(table))


def rows_as_text(table: pl.DataFrame) -> str:
    """Lay out the table of `significance.compare` alone."""
    tables = by_protocol(table, dict.fromkeys(table["run"], ""))
    return "\n".join(_lines(one.title, _grid(one)) for one in tables)


def as_markdown(comparison: Comparison) -> str:
    """Lay out the same tables as Markdown, and one of slices."""
    parts = ["# " + " · ".join(comparison.runs), _rule(comparison)]
    for table in by_protocol(comparison.table, comparison.runs):
        parts += [f"## {table.title}", markdown_table(*_grid(table, "model"))]
    if len(comparison.slices):
        parts.append("## Slices of users")
        for table in by_slice(comparison.slices, [*comparison.runs]):
            parts += [f"### {table.title}", markdown_table(*_grid(table, "n"))]
    return "\n\n".join(parts) + "\n"


def _rule(comparison: Comparison) -> str:
    return f"{count_of(comparison.n_users, 'user')}. {rule(comparison.reference)}"


def _grid(table: Table, remark: str = "") -> list[list[str]]:
    """Return header and rows; remarks are a column where they have a name."""
    header = [table.head, *([remark] if remark else []), *table.columns]
    rows = [[row.name, *([row.remark] if remark else []), *map(str, row.cells)] for row in table.rows]
    return [header, *rows]


def _lines(title: str, grid: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in grid
    )
    return "\n".join(["", title, *lines])
