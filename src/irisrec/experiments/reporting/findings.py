"""Findings: what most sections are made of, words, charts and tables in one order."""

from __future__ import annotations

from dataclasses import dataclass

from irisrec.experiments.reporting.tables import Table


@dataclass(frozen=True)
class Chart:
    """A drawing: its title, and an ``<svg>`` element that says in words what it shows."""

    title: str
    svg: str


@dataclass(frozen=True)
class Findings:
    """A section.

    Attributes:
        words: paragraphs at its beginning.
        notes: sentences that each stand for themselves.
        charts: drawings.
        legend: (number of the colour, name) of the lines in all of them; none where there is one line.
        tables: to be read.
        folded: to be looked up.
        meanings: (name, what it is) for words that the tables use.
        missing: (what could be known, the command that finds it).
    """

    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    legend: tuple[tuple[int, str], ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    meanings: tuple[tuple[str, str], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
