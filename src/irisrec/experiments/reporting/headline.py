"""What was trained on what: the names and sizes at the top of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from irisrec.data.config import SplitConfig
from irisrec.errors import count_of
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import (
    bytes_in_words,
    candidates_in_words,
    data_in_words,
    listed,
    model_in_words,
    seconds_in_words,
)
from irisrec.models.item_similarity import ItemSimilarity


@dataclass(frozen=True)
class Figure:
    """A number worth a large print: its label, and a few words on what it is to be compared with."""

    label: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Headline:
    """The top of a report.

    Attributes:
        model, data: in words.
        sentences: sizes, split and what the model reads.
        figures: metrics, time and memory.
    """

    model: str
    data: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]


def headline(run: FinishedRun) -> Headline:
    """Say what was trained on what, and how well, how fast, how large."""
    sentences = (_sizes(run), split_in_words(run.config.split, run), _reads(run))
    figures = (*_metrics(run), *_costs(run))
    return Headline(model_in_words(run.config.model.name), data_in_words(run.config.data), sentences, figures)


def split_in_words(config: SplitConfig, run: FinishedRun) -> str:
    """Say what was held out, and how much of it."""
    test = {
        "random": f"One interaction of each user, chosen at random (seed {config.seed}), is held out for test",
        "last": "The last interaction of each user in time is held out for test",
        "ratio": f"{config.test_share:.0%} of each user’s interactions "
        + ("at random" if config.order == "random" else "last in time")
        + " are held out for test",
        "k-fold": f"Part {config.fold + 1} of {config.folds} of each user’s interactions is held out for test",
        "time": f"The last {config.test_share:.0%} of all interactions in time are held out for test",
        "cold-users": f"{config.test_share:.0%} of the users are wholly held out for test, known by "
        f"{config.known_share:.0%} of their interactions",
        "cold-items": f"{config.test_share:.0%} of the items are wholly held out for test, ranked among themselves",
        "files": "The interactions held out for test come with the data",
    }[config.strategy]
    validation = {
        "random": ", one more at random for validation",
        "last": ", the last of the others for validation",
        None: "",
    }[config.validation_strategy]
    if config.validation_pairs is not None:
        validation = ", and so do those for validation"
    return f"{test}{validation}: {run.split}."


def _sizes(run: FinishedRun) -> str:
    split, n_users, n_items = run.split, len(run.users), len(run.catalog)
    n = split.train.nnz + split.validation.nnz + split.test.nnz
    return (
        f"{count_of(n_users, 'user')}, {count_of(n_items, 'item')}, {count_of(n, 'interaction')} "
        f"({n / (n_users * n_items):.2%} of all pairs)."
    )


def _reads(run: FinishedRun) -> str:
    encoders: dict[str, Any] = run.info.get("encoders") or {}
    modalities = run.model.modalities if isinstance(run.model, ItemSimilarity) else ()
    if not modalities:
        return "The model reads no content of the items, only who had what."
    parts = [
        f"{name} ({encoders[name]['encoder']}, {count_of(encoders[name]['dim'], 'dimension')})"
        if name in encoders
        else name
        for name in modalities
    ]
    return f"The model reads {listed(parts)}."


def _metrics(run: FinishedRun) -> list[Figure]:
    """Print the first metric of NDCG and of HR under each of the first two protocols large."""
    figures = []
    is_own = run.config.model.name == "popularity"
    baselines = {} if is_own else run.evaluation.get("baselines", {})
    for protocol, values in list(run.evaluation["protocols"].items())[:2]:
        name = next((name for name in values if name.startswith("ndcg")), next(iter(values), None))
        if name is None:
            continue
        popularity = baselines.get("popularity", {}).get(protocol, {}).get(name)
        remark = "" if popularity is None else f"popularity {popularity:.4f}"
        figures.append(
            Figure(f"{name.upper()}, {candidates_in_words(protocol)}", f"{values[name]:.4f}", remark)
        )
    return figures


def _costs(run: FinishedRun) -> list[Figure]:
    figures = []
    if seconds := run.info.get("seconds_per_epoch"):
        figures.append(Figure("per epoch", seconds_in_words(seconds), count_of(len(run.epochs), "epoch")))
    elif seconds := run.info.get("seconds"):
        figures.append(Figure("whole run", seconds_in_words(seconds)))
    if peak := run.info.get("peak_memory_bytes"):
        threads = run.info.get("threads")
        figures.append(
            Figure("peak memory", bytes_in_words(peak), count_of(threads, "thread") if threads else "")
        )
    return figures
