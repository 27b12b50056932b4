"""reproduce: the paper's tables and figures by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from irisrec.errors import ConfigError, IrisrecError, RunError, closest
from irisrec.experiments.paper.comparison import comparison
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.losses import losses
from irisrec.experiments.paper.numbers import Spec, paper
from irisrec.experiments.paper.reasons import reasons
from irisrec.experiments.paper.relevance import relevance
from irisrec.experiments.paper.sources import KINDS, Source, chosen_sources
from irisrec.experiments.paper.statistics import statistics
from irisrec.experiments.paper.workshop import Workshop
from irisrec.lock import only_one
from irisrec.progress import say

_BUILD = {"reasons": reasons, "relevance": relevance, "losses": losses}


def reproduce(
    names: Sequence[str], sources: Sequence[Source], workshop: Workshop, bert: str | None = None
) -> tuple[list[Path], list[str]]:
    """Make tables and figures of the paper on the given data.

    Args:
        names: such as ``table2`` or ``figure6``, or ``all``.
        sources: the data; what takes the place of the paper's other data set is said.
        workshop: where runs are made and found.
        bert: text encoder for Table VI, a model of `transformers` by name or folder; see `measure_rows`.

    Returns:
        The files that were written, and a sentence for each table or figure that could not be made.

    Raises:
        ConfigError: an unknown name, or one whose data are not given (of ``all`` such are left out).
        RunError: nothing could be made.
    """
    wanted = chosen_names(names, sources)
    written, left_out = [], []
    with only_one(workshop.out, "reproducing in"):
        for name in wanted:
            if _lacking(name, sources):
                left_out.append(_lacking(name, sources))
                continue
            say(f"== {paper()[name]['title']}")
            try:
                for exhibit in _exhibits(name, sources, workshop, bert):
                    written += exhibit.save(workshop.out)
            except IrisrecError as error:
                if len(wanted) == 1:
                    raise
                say(f"{name}: {error}")
                left_out.append(f"{name}: {error}")
    if not written:
        raise RunError("; ".join(left_out))
    return written, left_out


def chosen_names(names: Sequence[str], sources: Sequence[Source]) -> list[str]:
    """Return tables and figures in the order of the paper, all of them for ``all``; errors as of `reproduce`."""
    known = paper()
    for name in names:
        if name != "all" and name not in known:
            raise ConfigError(
                f"there is no {name!r}; known: {', '.join([*known, 'all'])}{closest(name, known)}"
            )
        if name != "all" and (lacking := _lacking(name, sources)):
            raise ConfigError(lacking)
    return [name for name in known if name in names or "all" in names]


def _lacking(name: str, sources: Sequence[Source]) -> str:
    """Say which data a table needs that are not given; empty where none are missing."""
    spec = paper()[name]
    if spec["kind"] == "statistics":
        return "" if sources else f"{name} needs data, such as --data movielens=FOLDER"
    if chosen_sources(sources, spec["data"]):
        return ""
    ways = " or ".join(f"--data {kind}=FOLDER" for kind, one in KINDS.items() if one.plays == spec["data"])
    return f"{name} needs {ways}"


def _exhibits(
    name: str, sources: Sequence[Source], workshop: Workshop, bert: str | None
) -> Iterator[Exhibit]:
    spec = paper()[name]
    if spec["kind"] == "statistics":
        yield statistics(name, spec, sources, workshop)
        return
    for source in chosen_sources(sources, spec["data"]):
        place = "" if source.name == source.plays else f"-{source.name}"
        yield _build(f"{name}{place}-{workshop.mode}", spec, source, workshop, bert)


def _build(stem: str, spec: Spec, source: Source, workshop: Workshop, bert: str | None) -> Exhibit:
    if spec["kind"] == "comparison":
        return comparison(stem, spec, source, workshop, bert)
    return _BUILD[spec["kind"]](stem, spec, source, workshop)
