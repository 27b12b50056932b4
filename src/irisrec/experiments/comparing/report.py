"""The report of a comparison: one page on several runs, whole in itself."""

from __future__ import annotations

import polars as pl

from irisrec.errors import count_of
from irisrec.evaluation.metrics import main_metric
from irisrec.experiments.compare import Comparison
from irisrec.experiments.comparing import origins, results
from irisrec.experiments.comparing.examples import examples
from irisrec.experiments.comparing.side_by_side import SideBySide
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.headline import sizes, split_in_words
from irisrec.experiments.reporting.page import Figure, Section, Top, render
from irisrec.experiments.reporting.words import candidates_in_words, data_in_words

SECTIONS = (
    Section("numbers", "Which is better", results.numbers),
    Section("slices", "For whom", results.slices),
    Section("examples", "What they recommend, and why", examples, "compared_examples"),
    Section("knockout", "What each modality is worth", results.knockout),
    Section("calibration", "Whether their probabilities hold", results.calibration),
    Section("lists", "What their lists are like", results.lists),
    Section("training", "How they learned", origins.training),
    Section("costs", "What they cost", origins.costs),
    Section("differences", "What differs between their configs", origins.differences),
    Section("repeat", "How to repeat it", origins.repeat),
)


def comparison_page(comparison: Comparison) -> str:
    """Return the report of a comparison as HTML.

    Reads the run folders, and the picture files that their catalogs name where they still exist.

    Raises:
        RunError: a run that is not finished, or a damaged folder.
    """
    runs = {name: FinishedRun.load(folder) for name, folder in comparison.folders.items()}
    subject = SideBySide(comparison, runs)
    return render(_top(subject), SECTIONS, subject)


def _top(runs: SideBySide) -> Top:
    run = runs.reference
    sentences = (
        sizes(run),
        split_in_words(run.config.split, run),
        "Histories, held-out items and candidates are the same for all runs.",
    )
    figures = tuple(_best(runs.comparison.table))
    return Top(
        "Comparison", count_of(len(runs.runs), "run"), data_in_words(run.config.data), sentences, figures
    )


def _best(table: pl.DataFrame) -> list[Figure]:
    """Print the highest value of the main metric under each of the first two protocols large."""
    metric = main_metric(table["metric"])
    found = []
    for (protocol,), part in table.filter(pl.col("metric") == metric).group_by(
        "protocol", maintain_order=True
    ):
        best = part.drop_nulls("mean").sort("mean", descending=True).head(1)
        for row in best.iter_rows(named=True):
            label = f"highest {metric.upper()}, {candidates_in_words(str(protocol))}"
            found.append(
                Figure(label, f"{row['mean']:.4f}", f"{row['low']:.4f}–{row['high']:.4f}, {row['run']}")
            )
    return found[:2]
