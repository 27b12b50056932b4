"""Where the numbers of a section come from: settings, encoders, runs, code, machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.repeat import commit_in_words
from irisrec.experiments.results.method import Method
from irisrec.experiments.results.studies import Finding, chosen_by
from irisrec.experiments.tuning.output import values_in_words

_TOLD_ELSEWHERE = {"training.seed"}


def settings(methods: Sequence[Method], studies: Sequence[Finding]) -> list[str]:
    """Say for every method what it does not leave at the defaults of its model, and how that was chosen."""
    return [f"{m.name} ({chosen_by(m, studies)}): {_chosen(m.runs[0])}." for m in methods]


def _chosen(run: FinishedRun) -> str:
    chosen = {o: v for o, v in run.config.chosen().items() if o not in _TOLD_ELSEWHERE}
    if not run.epochs:
        chosen = {o: v for o, v in chosen.items() if o.startswith("model.")}
    return values_in_words(chosen) or "our defaults"


def encoders(runs: Sequence[FinishedRun]) -> list[str]:
    """Say what made the vectors of each modality that any run reads."""
    found = dict.fromkeys(
        f"{name}: {spec['encoder']}"
        + (f" with {model}" if (model := spec.get("settings", {}).get("model")) else "")
        + f", {spec['dim']:,} numbers"
        for run in runs
        for name, spec in (run.info.get("encoders") or {}).items()
    )
    return [f"{words}." for words in found]


def origins(runs: Sequence[FinishedRun]) -> list[str]:
    """Say which data, code, system and packages made the runs; where they differ, for how many runs each."""
    facts: dict[str, Callable[[dict[str, Any]], str]] = {
        "data fingerprint": lambda info: str(info.get("data_fingerprint")),
        "commit": lambda info: commit_in_words(info.get("commit")),
        "system": lambda info: str((info.get("machine") or {}).get("system", "not known")),
        "packages": lambda info: ", ".join(f"{name} {v}" for name, v in info.get("versions", {}).items()),
    }
    return [f"{name}: {_counted([words(run.info) for run in runs])}." for name, words in facts.items()]


def _counted(values: list[str]) -> str:
    different = list(dict.fromkeys(values))
    if len(different) == 1:
        return different[0]
    return "; ".join(f"{value} ({values.count(value)} of {len(values)} runs)" for value in different)


def folders(methods: Sequence[Method]) -> list[str]:
    """Name the folders of every method, by seed."""
    return [
        f"{method.name}: "
        + ", ".join(f"`{run.folder.path.name}` (seed {run.config.training.seed})" for run in method.runs)
        + "."
        for method in methods
    ]
