"""The page of results: one Markdown file with a section per data set and split, and a picture for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from irisrec.errors import count_of, listed
from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.significance import MARKED
from irisrec.experiments.markdown import bullets, fold
from irisrec.experiments.reporting.headline import sizes, split_in_words
from irisrec.experiments.reporting.numbers import protocol_in_words
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results import origins
from irisrec.experiments.results.chart import draw
from irisrec.experiments.results.costs import costs_table, places_in_words
from irisrec.experiments.results.findings import details, findings
from irisrec.experiments.results.overview import overview
from irisrec.experiments.results.place import name_places
from irisrec.experiments.results.section import Section, finished_runs, sections_of
from irisrec.experiments.results.standing import Standing, standings, uncommon_metrics
from irisrec.experiments.results.studies import Finding, studies_below
from irisrec.experiments.results.tables import (
    FIRST_MARK,
    IRIS_MARK,
    differences_table,
    lists_table,
    meanings,
    metrics_table,
)
from irisrec.files import atomic_path, write_text


def write_results(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write a page on finished runs, and beside it a picture per section.

    Args:
        paths: run folders, and folders with runs anywhere below; studies there say how settings were chosen.
        out: the Markdown file.

    Returns:
        The paths written, the page first.

    Raises:
        RunError: see `finished_runs`, `sections_of` and `methods_of`.
    """
    out = Path(out)
    sections, studies = sections_of(finished_runs(paths)), studies_below(paths)
    stands = [standings(section.methods) for section in sections]
    out.parent.mkdir(parents=True, exist_ok=True)
    parts, pictures = [_head(sections, stands)], []
    for section, under in zip(sections, stands, strict=True):
        picture = out.with_name(f"{out.stem}-{_slug(section.title)}.png")
        with atomic_path(picture) as temporary:
            draw(under, section.methods, temporary)
        pictures.append(picture)
        parts.append(_section(section, under, picture.name, studies))
    write_text(out, "\n\n".join(parts) + "\n")
    return [out, *pictures]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _head(sections: Sequence[Section], stands: Sequence[Sequence[Standing]]) -> str:
    n_runs = sum(len(section.runs) for section in sections)
    parts = [
        "# Results",
        f"Written by `irisrec results` from {count_of(n_runs, 'run folder')}. {_RULE}",
    ]
    if sum(map(len, stands)) > 1:
        titles = [section.title for section in sections]
        parts += ["## At a glance", overview([*zip(titles, stands, strict=True)])]
    return "\n\n".join(parts)


def _section(section: Section, stands: Sequence[Standing], picture: str, studies: Sequence[Finding]) -> str:
    methods, first = section.methods, section.runs[0]
    parts = [f"## {section.title}", f"{sizes(first)} {split_in_words(first.config.split, first)}"]
    parts.append(f"![{section.title}: means with intervals]({picture})")
    if found := findings(methods, stands):
        parts += ["### In short", bullets(found)]
    for stand in stands:
        parts += _protocol(section, stand)
    if lost := uncommon_metrics(methods):
        parts.append(f"Not shown, for not every run was judged by it: {listed([m.upper() for m in lost])}.")
    by_name = {method.name: method for method in methods}
    ordered = [by_name[name] for name in stands[-1].order]
    if lists := lists_table(ordered):
        parts += ["### What the lists are like", _LISTS, lists, bullets(meanings(ordered))]
    places = name_places(section.runs)
    parts += ["### What they cost", _COSTS, costs_table(ordered, places), bullets(places_in_words(places))]
    parts += ["### Settings and origin", _SETTINGS]
    parts.append(fold("Settings of every method", bullets(origins.settings(ordered, studies))))
    if made := origins.encoders(section.runs):
        parts.append(fold("Vectors of the items", bullets(made)))
    origin = [*origins.origins(section.runs), *origins.folders(ordered)]
    parts.append(fold("Data, code, packages and run folders", bullets(origin)))
    return "\n\n".join(parts)


def _protocol(section: Section, stand: Standing) -> list[str]:
    among, metric = candidates_in_words(stand.protocol), stand.main.upper()
    words = protocol_in_words(stand.protocol, section.runs[0])
    if stand.has_two_references:
        words += f" {IRIS_MARK}: differs from {stand.iris}, the best IRIS model."
    parts = [f"### Ranked among {among}", words, metrics_table(stand)]
    if len(stand.order) < 2:
        return parts
    if found := details(section.methods, stand):
        parts.append(bullets(found))
    return [*parts, fold(f"Differences in {metric} among {among}, user by user", differences_table(stand))]


_RULE = (
    "Values are means over users; a method with several seeds has the mean over these for each user, and ± is the "
    "standard deviation over seeds. A method marked “(ours)” has additions that are not in the paper of its model.\n\n"
    f"Brackets are {LEVEL:.0%} bootstrap intervals over users, drawn for all methods at once, so that differences are "
    f"paired. {FIRST_MARK} stands where a method differs from the first of its table, {IRIS_MARK} where it differs "
    f"from the best IRIS model: Wilcoxon’s signed-rank test over the users’ values gives p < {MARKED} after Holm’s "
    "correction for all tests against both under one protocol, and the interval of the difference does not hold 0."
)
_COSTS = (
    "Training is fitting alone, pretraining included and validation not; of processors: the time they worked on it, "
    "all threads together, which depends less on what else a machine does. Judging is both protocols with all "
    "measures. Peak memory is that of the process, never of a GPU, over the whole run with encoding and judging; the "
    "largest of the seeds."
)
_LISTS = "Over the full rankings of all users together, right or wrong; means over seeds."
_SETTINGS = (
    "“Tuned” is said where a study of `irisrec tune` that has chosen these values lies among the folders; all others "
    "were set by hand or are our defaults. What is not named is the default of the model."
)
