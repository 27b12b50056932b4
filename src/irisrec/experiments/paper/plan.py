"""What a reproduction would train, before it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irisrec.errors import FeatureError, count_of, listed
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.markdown import table
from irisrec.experiments.paper.measuring import WHOLE, options_of
from irisrec.experiments.paper.methods import METHODS, missing
from irisrec.experiments.paper.numbers import Spec, paper
from irisrec.experiments.paper.sources import Source, chosen_sources
from irisrec.experiments.paper.workshop import Workshop


@dataclass
class Planned:
    """A run, and the tables that share it.

    Attributes:
        state: missing, begun or finished.
        trials: finished ones of its study and how many there are to be; empty where nothing is tuned.
        epochs: at most.
        steps: of each epoch.
        tables: names.
    """

    state: str
    trials: str
    epochs: int
    steps: int
    tables: list[str] = field(default_factory=list)


def plan(names: Sequence[str], sources: Sequence[Source], workshop: Workshop, bert: str | None) -> str:
    """Lay out every run behind some tables and figures: whether it is there, and how much training it is.

    Args:
        names: of tables and figures, or ``all``.
        sources: the data.
        workshop: where runs would be made; given runs need no plan.
        bert: see `measure_rows`.
    """
    planned: dict[Path, Planned] = {}
    for name, spec in paper().items():
        if (name not in names and "all" not in names) or "data" not in spec:
            continue
        for source in chosen_sources(sources, spec["data"]):
            for row in _rows(spec, workshop):
                for path, run in _runs(row, source, workshop, bert):
                    planned.setdefault(path, run).tables.append(name)
    rows = [
        [path.name, one.state, one.trials, f"{one.epochs} × {one.steps:,}", listed(one.tables)]
        for path, one in planned.items()
    ]
    missing_ones = sum(one.state != "finished" for one in planned.values())
    summary = f"{count_of(len(planned), 'run')}, {missing_ones} of them to be trained (to their end)."
    return f"{table(['run', 'state', 'trials', 'epochs × steps, at most', 'for'], *rows)}\n\n{summary}"


def _rows(spec: Spec, workshop: Workshop) -> list[Mapping[str, Any]]:
    rows = spec["rows"] if spec["kind"] in ("comparison", "losses") else [{}]
    named = [{"method": WHOLE, **row} for row in rows]
    return [
        r for r in named if not missing([r["method"]]) and (not workshop.only or r["method"] in workshop.only)
    ]


def _runs(
    row: Mapping[str, Any], source: Source, workshop: Workshop, bert: str | None
) -> Iterator[tuple[Path, Planned]]:
    method, options = METHODS[row["method"]], options_of(row, source, workshop, bert)
    try:
        config = workshop.config(source, method, options)
    except FeatureError:
        return
    trials = ""
    if workshop.mode == "tuned":
        done = workshop.study_folder(source, config, options).read_description().get("finished", 0)
        trials = f"{done} of {workshop.budget.trials}"
    users = workshop.dataset(source).n_users
    for path in workshop.run_paths(source, config, options):
        steps = -(-users // config.training.batch_users)
        yield path, Planned(RunFolder(path).state, trials, config.training.epochs, steps)
