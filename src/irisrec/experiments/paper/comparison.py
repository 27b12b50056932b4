"""Tables II to VI: methods beside the paper's numbers, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from irisrec.errors import count_of
from irisrec.evaluation.significance import compare
from irisrec.experiments.markdown import table
from irisrec.experiments.paper import facts
from irisrec.experiments.paper.chart import draw_beside_paper
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.measuring import WHOLE, label_of, measure_rows
from irisrec.experiments.paper.numbers import Spec
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Measured, Workshop
from irisrec.experiments.reporting.tables import estimate, rule
from irisrec.experiments.reporting.words import candidates_in_words


def comparison(stem: str, spec: Spec, source: Source, workshop: Workshop, bert: str | None) -> Exhibit:
    """Measure every row of a table and lay it out beside the paper's numbers.

    Args:
        stem: of the files.
        spec: the paper's table.
        source: the data.
        workshop: where runs are made.
        bert: see `measure_rows`.
    """
    measured, lost = measure_rows(spec["rows"], source, workshop, bert)
    rows = _rows(spec, measured)
    first = next(iter(measured.values())).folders[0]
    return Exhibit(
        stem,
        f"{spec['title']}, {facts.mode_in_words(workshop.mode)}",
        _body(rows, spec["metrics"]),
        {
            "What is not here": lost,
            "Protocol": [*facts.protocol(first), _rule(rows)],
            "In short": _order(rows),
            **facts.about(source, workshop, measured),
        },
        rows,
        partial(draw_beside_paper, rows.drop_nulls("paper")),
    )


def _rows(spec: Spec, measured: Mapping[str, Measured]) -> pl.DataFrame:
    """Return one row per protocol, metric and label: the paper's value, and ours as of `significance.compare`."""
    reference = WHOLE if WHOLE in measured else next(iter(measured))
    ordered = {reference: measured[reference], **measured}
    found = compare({label: one.per_user for label, one in ordered.items()}, list(spec["metrics"]))
    paper = {
        (label_of(row), metric): value
        for row in spec["rows"]
        for metric, value in zip(spec["metrics"], row["values"], strict=True)
    }
    places = {label: place for place, label in enumerate(measured)}
    rows = [
        {
            "protocol": row["protocol"],
            "metric": row["metric"],
            "method": row["run"],
            "paper": None if row["protocol"] == "full" else paper[row["run"], row["metric"]],
            **{name: row[name] for name in ("mean", "low", "high")},
            "sd_over_seeds": measured[row["run"]].spread.get((row["protocol"], row["metric"])),
            "seeds": len(measured[row["run"]].folders),
            **{name: row[name] for name in ("difference", "difference_low", "difference_high", "p_holm")},
            "users": row["n_users"],
            "reference": reference,
            "runs": " ".join(folder.path.name for folder in measured[row["run"]].folders),
        }
        for row in found.iter_rows(named=True)
    ]
    rows.sort(key=lambda row: (row["protocol"] == "full", places[str(row["method"])]))
    return pl.DataFrame(rows, infer_schema_length=None)


def _body(rows: pl.DataFrame, metrics: Sequence[str]) -> str:
    parts = []
    for (protocol,), part in rows.group_by("protocol", maintain_order=True):
        title = f"## Targets ranked among {candidates_in_words(str(protocol))}"
        is_papers = protocol != "full"
        header = ["method"]
        for metric in metrics:
            header += [f"{metric.upper()}, paper", "ours"] if is_papers else [metric.upper()]
        lines = [
            [str(method), *(cell for row in of_method.to_dicts() for cell in _cells(row, is_papers))]
            for (method,), of_method in part.group_by("method", maintain_order=True)
        ]
        parts += [title if is_papers else f"{title} (not in the paper)", table(header, *lines)]
    return "\n\n".join(parts)


def _cells(row: Mapping[str, Any], is_papers: bool) -> list[str]:
    return [f"{row['paper']:.4f}", _cell(row)] if is_papers else [_cell(row)]


def _cell(row: Mapping[str, Any]) -> str:
    cell = estimate(row)
    spread = f" ± {row['sd_over_seeds']:.4f}" if row["sd_over_seeds"] is not None else ""
    return str(replace(cell, value=cell.value + spread))


def _rule(rows: pl.DataFrame) -> str:
    least, most = int(rows["seeds"].min()), int(rows["seeds"].max())  # type: ignore[arg-type]
    n_seeds = f"{most} seeds" if least == most else f"{least} to {most} seeds"
    seeds = f", averaged over {n_seeds}, ± their standard deviation" if most > 1 else ""
    return f"Means over {count_of(rows['users'][0], 'user')}{seeds}. {rule(rows['reference'][0])}"


def _order(rows: pl.DataFrame) -> list[str]:
    """Say how far the paper's order of the methods is found again."""
    sentences = []
    for (metric,), part in rows.drop_nulls("paper").group_by("metric", maintain_order=True):
        paper, ours, names = part["paper"].to_list(), part["mean"].to_list(), part["method"].to_list()
        pairs = [(a, b) for a in range(len(names)) for b in range(a) if paper[a] != paper[b]]
        same = sum((paper[a] > paper[b]) == (ours[a] > ours[b]) for a, b in pairs)
        first = names[max(range(len(names)), key=ours.__getitem__)]
        if pairs:
            sentences.append(
                f"By {str(metric).upper()} {first} is first here, {names[paper.index(max(paper))]} in the paper; "
                f"of {count_of(len(pairs), 'pair')} of rows {same} in the paper's order."
            )
    return sentences
