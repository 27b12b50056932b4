"""The section of curves: loss and validation metric by epoch, the kept epoch marked."""

from __future__ import annotations

from dataclasses import dataclass

from irisrec.experiments.reporting.charts import line_chart
from irisrec.experiments.reporting.finished import FinishedRun


@dataclass(frozen=True)
class Curve:
    """A drawn curve: its title, the SVG, and what it shows in words."""

    title: str
    svg: str
    words: str


@dataclass(frozen=True)
class Training:
    """The section.

    Attributes:
        curves: loss, and the validation metric where there is validation.
        rows: (epoch, loss, validation metric or –, seconds) in words.
        kept: the epoch whose weights the model has.
    """

    curves: tuple[Curve, ...]
    rows: tuple[tuple[str, str, str, str], ...]
    kept: int


def training(run: FinishedRun) -> Training | None:
    """Draw the epochs of a run; None for a model that has none."""
    if not run.epochs:
        return None
    kept = int(run.info.get("best_epoch") or run.epochs[-1]["epoch"])
    losses = [(record["epoch"], record["loss"]) for record in run.epochs]
    judged = [
        (record["epoch"], record["validation"]["ndcg@10"]) for record in run.epochs if "validation" in record
    ]
    curves = [_curve("Training loss", losses, kept, ".4g")]
    if judged:
        curves.append(_curve("Validation NDCG@10, all items ranked", judged, kept, ".4f"))
    values = dict(judged)
    rows = tuple(
        (
            str(record["epoch"]),
            f"{record['loss']:.5f}",
            f"{values[record['epoch']]:.4f}" if record["epoch"] in values else "–",
            f"{record['seconds']:.1f}",
        )
        for record in run.epochs
    )
    return Training(tuple(curves), rows, kept)


def _curve(title: str, points: list[tuple[int, float]], kept: int, form: str) -> Curve:
    (first, start), (last, end) = points[0], points[-1]
    words = f"{title} by epoch: {start:{form}} in epoch {first}, {end:{form}} in epoch {last}"
    at_kept = dict(points).get(kept)
    if at_kept is not None:
        words += f"; kept is epoch {kept} with {at_kept:{form}}"
    return Curve(title, line_chart(points, kept, words, form), words)
