"""The sections of results: which run is better, for whom, and what lists, modalities and probabilities are like."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from irisrec.errors import count_of
from irisrec.evaluation.metrics import main_metric
from irisrec.experiments.comparing.side_by_side import SideBySide
from irisrec.experiments.reporting.calibration import MEANING, TITLE, points, why_none, world
from irisrec.experiments.reporting.charts import interval_chart, reliability_chart
from irisrec.experiments.reporting.findings import Chart, Findings
from irisrec.experiments.reporting.knockout import knockouts_of
from irisrec.experiments.reporting.lists import list_findings
from irisrec.experiments.reporting.numbers import meanings, protocol_in_words
from irisrec.experiments.reporting.slices import slice_tables
from irisrec.experiments.reporting.tables import by_protocol, rule
from irisrec.experiments.reporting.words import candidates_in_words


def numbers(runs: SideBySide) -> Findings:
    """Lay out and draw every metric of every run."""
    comparison = runs.comparison
    protocols = comparison.table["protocol"].unique(maintain_order=True).to_list()
    tables = tuple(
        replace(
            table,
            title=candidates_in_words(protocol).capitalize(),
            sentence=protocol_in_words(protocol, runs.reference),
        )
        for protocol, table in zip(protocols, by_protocol(comparison.table, comparison.runs), strict=True)
    )
    words = (
        f"Judged on {count_of(comparison.n_users, 'user')} with a held-out item. {rule(comparison.reference)}"
    )
    metrics = comparison.table["metric"].unique(maintain_order=True).to_list()
    return Findings(
        words=(words,), charts=_charts(comparison.table), tables=tables, meanings=meanings(metrics)
    )


def _charts(table: pl.DataFrame) -> tuple[Chart, ...]:
    """Draw the metrics at the cutoff of the main one; all are in the tables."""
    _, at, cutoff = main_metric(table["metric"]).partition("@")
    drawn = table.filter(pl.col("metric").str.ends_with(at + cutoff))
    charts = []
    for (protocol, metric), part in drawn.group_by(["protocol", "metric"], maintain_order=True):
        title = f"{str(metric).upper()}, {candidates_in_words(str(protocol))}"
        rows = part.to_dicts()
        spoken = "; ".join(f"{r['run']} {r['mean']:.4f}" for r in rows if r["mean"] is not None)
        charts.append(Chart(title, interval_chart(rows, f"{title}: {spoken}")))
    return tuple(charts)


def slices(runs: SideBySide) -> Findings | None:
    """Lay out the main metric of every run within slices of the users."""
    return slice_tables(runs.comparison.slices, [*runs.runs])


def knockout(runs: SideBySide) -> Findings | None:
    """Tell what was found for the runs whose modalities were knocked out; None where none was."""
    notes = tuple(
        f"{name}: {sentence}"
        for name, run in runs.runs.items()
        for found in knockouts_of(run.folder)
        if found
        for sentence in found["sentences"].values()
    )
    return Findings(notes=notes) if notes else None


def calibration(runs: SideBySide) -> Findings | None:
    """Draw the reliability curves of all runs that give probabilities; None where none does."""
    found = {name: run.evaluation.get("calibration") for name, run in runs.runs.items()}
    judged = {name: one for name, one in found.items() if one}
    if not judged:
        return None
    worlds = dict.fromkeys(world(one) for one in judged.values())
    errors = [f"{name}: expected calibration error {one['ece']:.4f}." for name, one in judged.items()]
    silent = [f"{name}: {why_none(run)}" for name, run in runs.runs.items() if not found[name]]
    colours = [runs.colours[name] for name in judged]
    svg = reliability_chart([points(one) for one in judged.values()], colours, " ".join(errors))
    return Findings(
        notes=(*errors, *silent),
        words=(f"The expected calibration error says {MEANING}", *worlds),
        charts=(Chart(TITLE, svg),),
        legend=tuple(zip(colours, judged, strict=True)),
    )


def lists(runs: SideBySide) -> Findings | None:
    """Lay out the list measures of all runs that have them; None where none has."""
    found = {name: run.evaluation["lists"] for name, run in runs.runs.items() if run.evaluation.get("lists")}
    return list_findings(found) if found else None
