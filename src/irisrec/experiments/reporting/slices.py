"""The section of slices: for whom a run is good, by history, popularity and content of what was held out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.per_user import metrics_of
from irisrec.evaluation.slices import slices
from irisrec.experiments.reporting.findings import Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import by_slice, rule


def slices_of_run(run: FinishedRun) -> Findings | None:
    """Lay out the main metric of a run and of popularity within slices of the users."""
    metric = main_metric(metrics_of(run.frames[run.name]))
    names = list(reversed(run.frames))
    return slice_tables(slices(run.frames, [metric]), names)


def slice_tables(table: pl.DataFrame, runs: Sequence[str]) -> Findings | None:
    """Lay out slices, the first protocol to be read and others to be looked up; None where there is no slice."""
    if not len(table):
        return None
    first, *others = by_slice(table, runs)
    reference = table["run"][0] if len(runs) > 1 else ""
    words = (
        "Users stand in one slice of each kind: by the length of their history, by how popular the held-out items "
        "are in training, and by whether these have each modality. " + rule(reference, starred=False)
    )
    return Findings(words=(words,), tables=(first,), folded=tuple(others))
