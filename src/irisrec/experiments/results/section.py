"""Section: all methods that were judged on the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irisrec.errors import RunError
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.judged import JudgedOn
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import data_in_words
from irisrec.experiments.results.method import Method, methods_of
from irisrec.progress import say


@dataclass(frozen=True)
class Section:
    """Methods over the same users, targets and candidates.

    Attributes:
        title: data and kind of split, unlike that of every other section.
        methods: at least one.
    """

    title: str
    methods: tuple[Method, ...]

    @property
    def runs(self) -> list[FinishedRun]:
        """All runs of all methods."""
        return [run for method in self.methods for run in method.runs]


def finished_runs(paths: Iterable[Path]) -> list[FinishedRun]:
    """Read run folders, and those that lie anywhere below other folders.

    A run that is not finished is refused where it was named, and left out and told where it was found. A folder may
    hold studies alone.

    Raises:
        RunError: a folder that is no run and holds none, or a run that is not finished.
    """
    folders: dict[Path, RunFolder] = {}
    for path in map(Path, paths):
        if (path / "run.json").exists():
            named = RunFolder(path)
            if not _is_finished(named):
                raise RunError(f"{path} is not finished; go on with `irisrec train --resume {path}`")
            folders[path.resolve()] = named
            continue
        below = [RunFolder(file.parent) for file in sorted(path.rglob("run.json"))]
        if not below and not any(path.rglob("study.json")):
            raise RunError(f"{path} is not a run folder, and holds none")
        for folder in below:
            if _is_finished(folder):
                folders[folder.path.resolve()] = folder
            else:
                say(f"left out, not finished: {folder.path}")
    if not folders:
        raise RunError("none of the runs is finished; go on with `irisrec train --resume RUN`")
    return [FinishedRun.load(folder) for folder in folders.values()]


def _is_finished(folder: RunFolder) -> bool:
    return folder.read_info().get("state") == "finished"


def sections_of(runs: Sequence[FinishedRun]) -> list[Section]:
    """Group runs by what they were judged on, in the order in which they come.

    Raises:
        RunError: runs on the same data and split with other candidates.
    """
    groups: dict[tuple[str, str], list[FinishedRun]] = {}
    first: dict[tuple[str, str], JudgedOn] = {}
    for run in runs:
        judged = JudgedOn.of(run.folder, run.config)
        key = judged.data, judged.split
        if key in first and judged != first[key]:
            raise RunError(
                f"{groups[key][0].folder.path} and {run.folder.path} have the same data and split and other "
                "candidates, so their numbers do not fit together; train both with one section [evaluation]"
            )
        first.setdefault(key, judged)
        groups.setdefault(key, []).append(run)
    titles = [_title(group[0]) for group in groups.values()]
    return [
        Section(title if titles.count(title) == 1 else f"{title} ({n})", tuple(methods_of(group)))
        for n, (title, group) in enumerate(zip(titles, groups.values(), strict=True), start=1)
    ]


def _title(run: FinishedRun) -> str:
    kinds = {"random": "random leave-one-out", "last": "last leave-one-out", "files": "the split of the data"}
    strategy = run.config.split.strategy
    return f"{data_in_words(run.config.data)}, {kinds.get(strategy, f'{strategy} split')}"
