"""The report of a run: one page with numbers, curves and explained recommendations, whole in itself."""

from __future__ import annotations

from pathlib import Path

from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.calibration import calibration
from irisrec.experiments.reporting.data import data_story
from irisrec.experiments.reporting.examples import examples
from irisrec.experiments.reporting.faithfulness import faithfulness
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.headline import headline
from irisrec.experiments.reporting.knockout import knockout
from irisrec.experiments.reporting.lists import lists
from irisrec.experiments.reporting.numbers import numbers
from irisrec.experiments.reporting.page import Section, render
from irisrec.experiments.reporting.repeat import repeat
from irisrec.experiments.reporting.robustness import robustness
from irisrec.experiments.reporting.slices import slices_of_run
from irisrec.experiments.reporting.training import training
from irisrec.files import write_text

SECTIONS = (
    Section("numbers", "How good it is", numbers),
    Section("examples", "What it recommends, and why", examples, "examples"),
    Section("faithfulness", "Whether its reasons are true", faithfulness),
    Section("slices", "For whom it is good", slices_of_run),
    Section("knockout", "What each modality is worth", knockout),
    Section("robustness", "When content is missing", robustness),
    Section("calibration", "Whether its probabilities hold", calibration),
    Section("lists", "What its lists are like", lists),
    Section("training", "How it learned", training),
    Section("data", "What was done to the data", data_story, "data"),
    Section("repeat", "How to repeat it", repeat, "repeat"),
)


def write_report(folder: RunFolder) -> Path:
    """Write ``report.html`` of a finished run and return its path.

    Reads the run folder, and the picture files that its catalog names where they still exist. The page needs no other
    file, no script and no network.

    Raises:
        RunError: a run that is not finished, or a damaged folder.
    """
    run = FinishedRun.load(folder)
    write_text(folder.report, render(headline(run), SECTIONS, run))
    return folder.report
