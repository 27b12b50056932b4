"""The section on modalities: what is left of a run when one says nothing, something false, or noise."""

from __future__ import annotations

import shlex
from typing import Any

import polars as pl

from irisrec.evaluation.knockout import IN_WORDS
from irisrec.evaluation.metrics import main_metric
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.findings import Findings
from irisrec.experiments.reporting.finished import FinishedRun, read_if_there
from irisrec.experiments.reporting.tables import Row, Table, estimate, rule
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.models.features import held_modalities

# judged without the content, trained without it: title of the table, question, option of the command
WAYS_TO_ASK = (
    ("Judged without it", "The trained model is judged again with the content altered: does it listen?", ""),
    (
        "Trained without it",
        "The model is trained and judged on the altered content: does the content say what nothing else says?",
        " --retrain",
    ),
)


def knockout(run: FinishedRun) -> Findings | None:
    """Tell what `irisrec knockout` has found, or how to run it; None for a model that reads no modality."""
    if not held_modalities(run.model):
        return None
    command = f"irisrec knockout {shlex.quote(str(run.folder.path))}"
    asked = list(zip(WAYS_TO_ASK, knockouts_of(run.folder), strict=True))
    tables = tuple(_table(title, question, found) for (title, question, _), found in asked if found)
    return Findings(
        notes=tuple(sentence for _, found in asked if found for sentence in found["sentences"].values()),
        words=(rule("the content as it is"),) if tables else (),
        tables=tables,
        missing=tuple((question, command + option) for (_, question, option), found in asked if not found),
    )


def knockouts_of(folder: RunFolder) -> tuple[dict[str, Any] | None, ...]:
    """Read what was found with the model as trained, and with it trained again; None where it was not run."""
    return tuple(read_if_there(path) for path in folder.knockouts)


def _table(title: str, question: str, found: dict[str, Any]) -> Table:
    table = pl.DataFrame(found["table"], infer_schema_length=None)
    metric = main_metric(table["metric"])
    ways = {f"{m} {way}": f"{m} {words}" for m in found["modalities"] for way, words in IN_WORDS.items()}
    rows = tuple(
        Row(ways.get(str(run), "as it is"), tuple(estimate(row) for row in part.iter_rows(named=True)))
        for (run,), part in table.filter(pl.col("metric") == metric).group_by("run", maintain_order=True)
    )
    protocols = table["protocol"].unique(maintain_order=True).to_list()
    columns = tuple(f"{metric.upper()}, {candidates_in_words(protocol)}" for protocol in protocols)
    return Table(title, question, "content", columns, rows)
