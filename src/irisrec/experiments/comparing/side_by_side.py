"""SideBySide: runs that were compared, with all that their folders tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from irisrec.experiments.compare import Comparison
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import Row, plain_cells

ABSENT = "–"


@dataclass(frozen=True)
class SideBySide:
    """A comparison with its runs.

    Attributes:
        comparison: what was found.
        runs: {name: run}, the reference first.
    """

    comparison: Comparison
    runs: dict[str, FinishedRun]

    @property
    def reference(self) -> FinishedRun:
        """The run that the others are held against; data and split are those of all."""
        return self.runs[self.comparison.reference]

    @cached_property
    def colours(self) -> dict[str, int]:
        """Which colour of the page each run has in every chart."""
        return {name: n for n, name in enumerate(self.runs)}


def differing(values: Mapping[str, Mapping[str, str]]) -> tuple[tuple[Row, ...], dict[str, str]]:
    """Part the facts of runs into rows of those that differ, a cell per run, and those that are the same for all.

    A fact that a run does not have is ``ABSENT``.
    """
    names = dict.fromkeys(name for facts in values.values() for name in facts)
    rows, same = [], {}
    for name in names:
        found = [facts.get(name) or ABSENT for facts in values.values()]
        if len(set(found)) > 1:
            rows.append(Row(name, plain_cells(found)))
        else:
            same[name] = found[0]
    return tuple(rows), same
