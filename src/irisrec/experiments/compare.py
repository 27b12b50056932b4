"""compare_runs: several runs on one data set, side by side, with intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.errors import RunError
from irisrec.evaluation.bootstrap import LEVEL
from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.significance import compare
from irisrec.evaluation.slices import slices
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.judged import JudgedOn
from irisrec.experiments.reporting.words import method_in_words


@dataclass(frozen=True)
class Comparison:
    """Runs over the same users, candidates and targets.

    Attributes:
        runs: {name of the run: name of its method}; the first is the reference.
        folders: {name of the run: its folder}.
        n_users: with a target.
        table: as of `significance.compare`.
        slices: as of `slices.slices`, of the first metric that is an NDCG, else of the first.
    """

    runs: dict[str, str]
    folders: dict[str, RunFolder]
    n_users: int
    table: pl.DataFrame
    slices: pl.DataFrame

    @property
    def reference(self) -> str:
        """The run that the others are held against."""
        return next(iter(self.runs))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "reference": self.reference,
            "runs": self.runs,
            "n_users": self.n_users,
            "level": LEVEL,
            "table": self.table.to_dicts(),
            "slices": self.slices.to_dicts(),
        }


def compare_runs(paths: Sequence[Path], metrics: Sequence[str] | None = None) -> Comparison:
    """Compare finished runs; the first is the reference.

    Args:
        paths: run folders, at least two.
        metrics: such as ``ndcg@10``; those that all runs have where not given.

    Raises:
        RunError: runs that were not judged on the same thing: other data, split or candidates.
    """
    if len(paths) < 2:
        raise RunError(f"a comparison needs at least two runs, got {len(paths)}")
    folders = [RunFolder(Path(path)) for path in paths]
    for folder in folders:
        folder.require()
    names = _names(folders)
    configs = [ExperimentConfig.load(folder.config) for folder in folders]
    judged = [JudgedOn.of(folder, config) for folder, config in zip(folders, configs, strict=True)]
    for folder, on in zip(folders[1:], judged[1:], strict=True):
        _check_same(folders[0], judged[0], folder, on)
    frames = dict(zip(names, (folder.read_per_user() for folder in folders), strict=True))
    table = compare(frames, _chosen(frames, metrics))
    shown = main_metric(table["metric"])
    models = {name: method_in_words(config.model) for name, config in zip(names, configs, strict=True)}
    n_users = frames[names[0]]["user_id"].n_unique()
    return Comparison(models, dict(zip(names, folders, strict=True)), n_users, table, slices(frames, [shown]))


def _names(folders: Sequence[RunFolder]) -> list[str]:
    """Call runs by the names of their folders; by their paths where names are equal."""
    names = [folder.path.absolute().name for folder in folders]
    if len(set(names)) == len(names):
        return names
    paths = [str(folder.path) for folder in folders]
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise RunError(f"a run is compared with others, {twice} is given twice")
    return paths


def _check_same(a: RunFolder, ours: JudgedOn, b: RunFolder, theirs: JudgedOn) -> None:
    if ours.data != theirs.data:
        raise RunError(
            f"runs are compared on the same data, {a.path} has the fingerprint {ours.data[:12]}, {b.path} "
            f"{theirs.data[:12]}; train both on one data set"
        )
    if ours.split != theirs.split:
        raise RunError(
            f"runs are compared on the same split, {a.path} and {b.path} hold out different interactions; "
            "train both with one section [split]"
        )
    differing = [
        f"{name} = {value} and {other}"
        for (name, value), (_, other) in zip(ours.candidates, theirs.candidates, strict=True)
        if value != other
    ]
    if ours.negatives != theirs.negatives:
        differing.append("other given negatives")
    if differing:
        raise RunError(
            f"runs are compared on the same candidates, {a.path} and {b.path} have {', '.join(differing)}; "
            "train both with one section [evaluation]"
        )


def _chosen(frames: dict[str, pl.DataFrame], metrics: Sequence[str] | None) -> list[str] | None:
    for name, frame in frames.items() if metrics else ():
        for metric in metrics or ():
            if metric not in frame.columns:
                raise RunError(
                    f"{name} has no values of {metric}; judge all runs with it in evaluation.metrics and "
                    "evaluation.cutoffs"
                )
    return list(metrics) if metrics else None
