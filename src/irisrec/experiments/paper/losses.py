"""Figure 6: training loss by epoch of every method that is trained by gradients."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import polars as pl

from irisrec.experiments.markdown import table
from irisrec.experiments.paper import facts
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.measuring import measure_rows
from irisrec.experiments.paper.numbers import Spec
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Measured, Workshop
from irisrec.experiments.plotting import save
from irisrec.files import read_json

SHOWN = (1, 2, 3, 5, 10, 20, 50, 100)  # epochs in the table; all are in the CSV file


def losses(stem: str, spec: Spec, source: Source, workshop: Workshop) -> Exhibit:
    """Lay out how the training loss of each method falls."""
    measured, lost = measure_rows(spec["rows"], source, workshop)
    rows = _rows(measured)
    meaning = (
        "The mean loss of a sample in each epoch, without penalties, of the run with seed 0; an epoch is one pass over "
        "the users. The paper's figure has no numbers that could be read off."
    )
    return Exhibit(
        stem,
        f"{spec['title']}, {facts.mode_in_words(workshop.mode)}",
        _body(rows),
        {
            "What is not here": lost,
            "How to read it": [meaning, *_first(rows)],
            **facts.about(source, workshop, measured),
        },
        rows,
        partial(_draw, rows),
    )


def _rows(measured: Mapping[str, Measured]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "method": name,
                "epoch": record["epoch"],
                "loss": record["loss"],
                "validation ndcg@10": record.get("validation", {}).get("ndcg@10"),
            }
            for name, one in measured.items()
            for record in read_json(one.folders[0].metrics)
        ],
        infer_schema_length=None,
    )


def _body(rows: pl.DataFrame) -> str:
    last = int(rows["epoch"].max() or 0)  # type: ignore[arg-type]
    epochs = [epoch for epoch in SHOWN if epoch <= last]
    lines = []
    for (name,), part in rows.group_by("method", maintain_order=True):
        loss = dict(zip(part["epoch"], part["loss"], strict=True))
        lines.append([str(name), *(f"{loss[e]:.4f}" if e in loss else "–" for e in epochs), str(max(loss))])
    return table(["loss after epoch", *map(str, epochs), "epochs"], *lines)


def _first(rows: pl.DataFrame) -> list[str]:
    """Say whose loss is lowest, early and late."""
    shared = min(int(part["epoch"][-1]) for _, part in rows.group_by("method"))
    sentences = []
    for epoch in sorted({1, shared}):
        row = rows.filter(pl.col("epoch") == epoch).sort("loss").row(0, named=True)
        sentences.append(f"After epoch {epoch} the loss of {row['method']} is lowest ({row['loss']:.4f}).")
    return sentences


def _draw(rows: pl.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for (name,), part in rows.group_by("method", maintain_order=True):
        axes.plot(part["epoch"], part["loss"], marker=".", linewidth=1.3, label=str(name))
    axes.set(xlabel="epoch", ylabel="training loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    save(figure, path)
