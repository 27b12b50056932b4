"""The report of a run: one page with numbers, curves and explained recommendations, whole in itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.data import data_story
from irisrec.experiments.reporting.examples import examples
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.headline import headline
from irisrec.experiments.reporting.numbers import numbers
from irisrec.experiments.reporting.repeat import repeat
from irisrec.experiments.reporting.training import training
from irisrec.files import write_text


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: of its template ``sections/NAME.html``, and its anchor in the page.
        title: its heading.
        build: gives what the template shows as ``view``, or None where a run has nothing to say here.
    """

    name: str
    title: str
    build: Callable[[FinishedRun], Any]


SECTIONS = (
    Section("numbers", "How good it is", numbers),
    Section("examples", "What it recommends, and why", examples),
    Section("training", "How it learned", training),
    Section("data", "What was done to the data", data_story),
    Section("repeat", "How to repeat it", repeat),
)


def write_report(folder: RunFolder) -> Path:
    """Write ``report.html`` of a finished run and return its path.

    Reads the run folder, and the picture files that its catalog names where they still exist. The page needs no other
    file, no script and no network.

    Raises:
        RunError: a run that is not finished, or a damaged folder.
    """
    run = FinishedRun.load(folder)
    views = [(section, section.build(run)) for section in SECTIONS]
    page = (
        _environment()
        .get_template("report.html")
        .render(top=headline(run), sections=[(section, view) for section, view in views if view is not None])
    )
    write_text(folder.report, page)
    return folder.report


def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("irisrec.experiments", "templates"),
        autoescape=True,  # titles, ids and reasons come from other people's data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    environment.filters["plain"] = plain
    return environment


def plain(value: float) -> str:
    """Print a number with three decimals, zero without a sign.

    >>> plain(-0.0001)
    '0.000'
    """
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")


def signed(value: float) -> str:
    """Print a number with three decimals and its sign.

    >>> signed(0.25), signed(-1.5), signed(-0.0001)
    ('+0.250', '−1.500', '+0.000')
    """
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")
