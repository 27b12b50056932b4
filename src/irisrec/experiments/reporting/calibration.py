"""The section on probabilities: of items given 20 %, is one in five a target?"""

from __future__ import annotations

from typing import Any

from irisrec.experiments.reporting.charts import Points, reliability_chart
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import Row, Table, plain_cells

TITLE = "Share of targets among items of like probability, in ten parts of equal weight"


def calibration(run: FinishedRun) -> Findings:
    """Draw the reliability curve of a run, or say why there is none."""
    found = run.evaluation.get("calibration")
    if not found:
        return Findings(words=(why_none(run),))
    words = f"Reliability curve; expected calibration error {found['ece']:.4f}"
    return Findings(
        words=(f"Expected calibration error {found['ece']:.4f}: {MEANING}", world(found)),
        charts=(Chart(TITLE, reliability_chart([points(found)], [0], words)),),
        folded=(_bins(found),),
    )


MEANING = (
    "so far apart are the probability of an item and the share of targets among its like, on average. On the dashed "
    "line they are equal; below it a model promises too much."
)


def world(found: dict[str, Any]) -> str:
    """Say what the probabilities are about."""
    return f"In the world that the probabilities are about, {found['weights']}."


def points(found: dict[str, Any]) -> Points:
    """Return (probability, share of targets) of each bin."""
    return list(zip(found["probability"], found["observed"], strict=True))


def why_none(run: FinishedRun) -> str:
    """Say why the probabilities of a run were not judged."""
    if not run.model.is_probabilistic:
        return f"The scores of {run.name} rank items and are no probabilities."
    return (
        "Not judged: it needs candidates sampled evenly, evaluation.n_sampled above 0 with evaluation.sampling = "
        "'uniform', and evaluation.calibration = true."
    )


def _bins(found: dict[str, Any]) -> Table:
    rows = tuple(
        Row(f"{share:.1%}", plain_cells([f"{said:.4f}", f"{seen:.4f}"]))
        for said, seen, share in zip(found["probability"], found["observed"], found["share"], strict=True)
    )
    columns = ("mean probability", "share of targets")
    return Table("The numbers behind the curve", "", "share of the weight", columns, rows)
