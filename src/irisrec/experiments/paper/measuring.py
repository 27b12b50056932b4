"""Several methods measured for one table: what could be, and what could not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irisrec.errors import FeatureError, TrainingError
from irisrec.experiments.paper.given import NotGivenError
from irisrec.experiments.paper.methods import METHODS, missing
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Measured, Workshop

WHOLE = "Multimodal IRIS"  # what a row is about that names no method
BERT = "google-bert/bert-base-uncased"  # the paper's, as far as it says
Row = Mapping[str, Any]


def label_of(row: Row) -> str:
    """Name a row of the paper's table."""
    return f"{row['text']}, size {row['dim']}" if "text" in row else str(row["method"])


def measure_rows(
    rows: Sequence[Row], source: Source, workshop: Workshop, bert: str | None = None
) -> tuple[dict[str, Measured], list[str]]:
    """Return {label: measured} of the rows that can be measured, and a sentence for each that cannot.

    Args:
        rows: of the paper's table: ``method``, ``dim`` and ``text`` where they say so.
        source: the data.
        workshop: where runs are made.
        bert: model for rows whose text is BERT, by name or folder; that of the data or `BERT` where not given.

    Raises:
        FeatureError: where nothing could be measured at all.
    """
    measured: dict[str, Measured] = {}
    lost = []
    for row in rows:
        name, label = row.get("method", WHOLE), label_of(row)
        if workshop.only and name not in workshop.only:
            lost.append(f"{label}: not asked for.")
            continue
        if missing([name]):
            lost.append(f"{label}: this version has no model for it.")
            continue
        try:
            measured[label] = workshop.measure(source, METHODS[name], options_of(row, source, workshop, bert))
        except (FeatureError, TrainingError, NotGivenError) as error:
            lost.append(f"{label}: {error}.")
    if not measured:
        raise FeatureError(f"nothing could be measured: {'; '.join(one.rstrip('.') for one in lost)}")
    return measured, lost


def options_of(row: Row, source: Source, workshop: Workshop, bert: str | None) -> dict[str, Any]:
    """Return what a row asks for, such as ``model.dim``; see `measure_rows`."""
    options: dict[str, Any] = {"model.dim": row["dim"]} if "dim" in row else {}
    if "text" not in row:
        return options
    given = workshop.config(source, METHODS[WHOLE]).features.get("text", {})
    name = "huggingface-text" if row["text"] == "BERT" else "doc2vec"
    if bert is not None and row["text"] == "BERT":
        return options | {"features.text": {"encoder": name, "model": bert}}
    if given.get("encoder") == name:  # with the options that it has for all other runs
        return options
    return options | {"features.text": {"encoder": name} | ({"model": BERT} if row["text"] == "BERT" else {})}
