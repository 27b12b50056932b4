"""The section of curves: loss and validation metric by epoch, the kept epoch marked."""

from __future__ import annotations

from typing import Any

from irisrec.experiments.reporting.charts import Points, line_chart
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import Row, Table, plain_cells

LOSS, METRIC = "Training loss", "Validation NDCG@10, all items ranked"


def training(run: FinishedRun) -> Findings | None:
    """Draw the epochs of a run; None for a model that has none."""
    if not run.epochs:
        return None
    kept = kept_epoch(run)
    charts = [_curve(LOSS, losses(run), kept, ".4g")]
    if judged := validations(run):
        charts.append(_curve(METRIC, judged, kept, ".4f"))
    rows = tuple(_row(record, kept) for record in run.epochs)
    columns = ("loss", "validation NDCG@10", "seconds")
    table = Table("The numbers behind the curves", "", "epoch", columns, rows)
    return Findings(charts=tuple(charts), folded=(table,))


def kept_epoch(run: FinishedRun) -> int:
    """Return the epoch whose weights the model has."""
    return int(run.info.get("best_epoch") or run.epochs[-1]["epoch"])


def losses(run: FinishedRun) -> Points:
    """Return (epoch, loss)."""
    return [(record["epoch"], record["loss"]) for record in run.epochs]


def validations(run: FinishedRun) -> Points:
    """Return (epoch, validation metric) of the epochs that were judged."""
    return [(r["epoch"], r["validation"]["ndcg@10"]) for r in run.epochs if "validation" in r]


def _row(record: dict[str, Any], kept: int) -> Row:
    is_kept = record["epoch"] == kept
    metric = f"{record['validation']['ndcg@10']:.4f}" if "validation" in record else "–"
    cells = plain_cells([f"{record['loss']:.5f}", metric, f"{record['seconds']:.1f}"])
    return Row(f"{record['epoch']}{', kept' if is_kept else ''}", cells, is_own=is_kept)


def _curve(title: str, points: Points, kept: int, form: str) -> Chart:
    (first, start), (last, end) = points[0], points[-1]
    words = f"{title} by epoch: {start:{form}} in epoch {first}, {end:{form}} in epoch {last}"
    at_kept = dict(points).get(kept)
    if at_kept is not None:
        words += f"; kept is epoch {kept} with {at_kept:{form}}"
    return Chart(title, line_chart(points, kept, words, form))
