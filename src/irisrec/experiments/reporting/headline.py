"""What was trained on what: the names and sizes at the top of a report."""

from __future__ import annotations

from typing import Any

from irisrec.data.config import SplitConfig
from irisrec.errors import count_of, listed
from irisrec.evaluation.metrics import main_metric
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.page import Figure, Top
from irisrec.experiments.reporting.words import (
    bytes_in_words,
    candidates_in_words,
    data_in_words,
    seconds_in_words,
)
from irisrec.models.item_similarity import ItemSimilarity


def headline(run: FinishedRun) -> Top:
    """Say what was trained on what, and how well, how fast, how large."""
    sentences = (sizes(run), split_in_words(run.config.split, run), _reads(run))
    figures = (*_metrics(run), *_costs(run))
    return Top("Report of a run", run.name, data_in_words(run.config.data), sentences, figures)


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


def sizes(run: FinishedRun) -> str:
    """Say how large the data are."""
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
    """Print the main metric under each of the first two protocols large."""
    figures = []
    is_own = run.config.model.name == "popularity"
    popularity = {} if is_own else run.evaluation.get("baselines", {}).get("popularity", {})
    for protocol, values in list(run.evaluation["protocols"].items())[:2]:
        if not values:
            continue
        name = main_metric(values)
        interval = run.evaluation.get("intervals", {}).get(protocol, {}).get(name)
        beside = popularity.get(protocol, {}).get(name)
        remark = ", ".join(
            ([f"{interval[0]:.4f}–{interval[1]:.4f}"] if interval else [])
            + ([] if beside is None else [f"popularity {beside:.4f}"])
        )
        figures.append(
            Figure(f"{name.upper()}, {candidates_in_words(protocol)}", f"{values[name]:.4f}", remark)
        )
    return figures


def _costs(run: FinishedRun) -> list[Figure]:
    figures = []
    if seconds := run.info.get("training_seconds"):
        per_epoch = run.info.get("seconds_per_epoch")
        epochs = f"{count_of(len(run.epochs), 'epoch')} of {seconds_in_words(per_epoch)}" if per_epoch else ""
        figures.append(Figure("training", seconds_in_words(seconds), epochs))
    if peak := run.info.get("peak_memory_bytes"):
        threads = run.info.get("threads")
        figures.append(
            Figure("peak memory", bytes_in_words(peak), count_of(threads, "thread") if threads else "")
        )
    return figures
