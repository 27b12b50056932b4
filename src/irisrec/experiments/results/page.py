"""The page of results: one Markdown file with a section per data set and split, and a picture for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from irisrec.errors import count_of, listed
from irisrec.experiments.markdown import bullets
from irisrec.experiments.reporting.headline import sizes, split_in_words
from irisrec.experiments.reporting.numbers import protocol_in_words
from irisrec.experiments.reporting.tables import rule
from irisrec.experiments.reporting.words import candidates_in_words
from irisrec.experiments.results import origins
from irisrec.experiments.results.chart import draw
from irisrec.experiments.results.findings import findings
from irisrec.experiments.results.section import Section, finished_runs, sections_of
from irisrec.experiments.results.standing import Standing, standings, uncommon_metrics
from irisrec.experiments.results.tables import costs_table, lists_table, meanings, metrics_table
from irisrec.files import atomic_path, write_text


def write_results(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write a page on finished runs, and beside it a picture per section.

    Args:
        paths: run folders, and folders with runs anywhere below.
        out: the Markdown file.

    Returns:
        The paths written, the page first.

    Raises:
        RunError: see `finished_runs`, `sections_of` and `methods_of`.
    """
    out = Path(out)
    sections = sections_of(finished_runs(paths))
    out.parent.mkdir(parents=True, exist_ok=True)
    parts, pictures = [_head(sections)], []
    for section in sections:
        stands = standings(section.methods)
        picture = out.with_name(f"{out.stem}-{_slug(section.title)}.png")
        with atomic_path(picture) as temporary:
            draw(stands, temporary)
        pictures.append(picture)
        parts.append(_section(section, stands, picture.name))
    write_text(out, "\n\n".join(parts) + "\n")
    return [out, *pictures]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _head(sections: Sequence[Section]) -> str:
    n_runs = sum(len(section.runs) for section in sections)
    words = (
        f"Written by `irisrec results` from {count_of(n_runs, 'run folder')}. Values are means over users, averaged "
        "over the seeds of a method; ± is the standard deviation over seeds. "
        + rule("the first method of each table")
        + " A method marked “(ours)” has additions that are not in the paper of its model."
    )
    return f"# Results\n\n{words}"


def _section(section: Section, stands: Sequence[Standing], picture: str) -> str:
    methods, first = section.methods, section.runs[0]
    parts = [f"## {section.title}", f"{sizes(first)} {split_in_words(first.config.split, first)}"]
    parts.append(f"![{section.title}: means with intervals]({picture})")
    if found := findings(methods, stands):
        parts += ["### In short", bullets(found)]
    for stand in stands:
        heading = f"### Ranked among {candidates_in_words(stand.protocol)}"
        parts += [heading, protocol_in_words(stand.protocol, first), metrics_table(stand)]
    if lost := uncommon_metrics(methods):
        parts.append(f"Not shown, for not every run was judged by it: {listed([m.upper() for m in lost])}.")
    by_name = {method.name: method for method in methods}
    ordered = [by_name[name] for name in stands[-1].order]
    if lists := lists_table(ordered):
        parts += ["### What the lists are like", _LISTS, lists, bullets(meanings(ordered))]
    parts += ["### What they cost", _COSTS, costs_table(ordered)]
    parts += ["### Settings", _SETTINGS, bullets(origins.settings(ordered))]
    if made := origins.encoders(section.runs):
        parts += ["Vectors:", bullets(made)]
    parts += ["### Where the numbers come from", bullets(origins.origins(section.runs))]
    parts += ["Run folders:", bullets(origins.folders(ordered))]
    return "\n\n".join(parts)


_COSTS = (
    "Training is fitting alone, pretraining included and validation not; of processors: the time they worked on it, "
    "all threads together, which depends less on what else a machine does. Judging is both protocols with all "
    "measures. Peak memory is that of the whole run, encoding and judging included, the largest of the seeds."
)
_LISTS = "Over the full rankings of all users together, right or wrong; means over seeds."
_SETTINGS = "What is not named is the default of the model."
