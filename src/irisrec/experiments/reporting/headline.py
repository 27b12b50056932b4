"""What was trained on what: the names and sizes at the top of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.errors import count_of
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.models.item_similarity import ItemSimilarity

MODELS = {
    "popularity": "Popularity",
    "fism": "FISM",
    "nais": "NAIS",
    "iris": "IRIS",
    "image-iris": "Image IRIS",
    "text-iris": "Text IRIS",
    "add-iris": "IRIS with added towers",
    "image-add-text-iris": "Image-add-Text IRIS",
    "multimodal-iris": "Multimodal IRIS",
}


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


def model_in_words(name: str) -> str:
    """Return the name that papers use for a model."""
    return MODELS.get(name, name)


def data_in_words(config: DataConfig) -> str:
    """Return a name for the data: that of their folder."""
    return "the built-in shop" if config.source == "shop" else config.root.name or "the data"


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["image", "text", "audio"])
    'image, text and audio'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def split_in_words(config: SplitConfig, run: FinishedRun) -> str:
    """Say what was held out, and how much of it."""
    test = {
        "random": f"One interaction of each user, chosen at random (seed {config.seed}), is held out for test",
        "last": "The last interaction of each user in time is held out for test",
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
    for protocol, values in list(run.evaluation["protocols"].items())[:2]:
        name = next((name for name in values if name.startswith("ndcg")), next(iter(values), None))
        if name is None:
            continue
        baseline = run.evaluation.get("baselines", {}).get("popularity", {}).get(protocol, {}).get(name)
        remark = "" if baseline is None else f"popularity {baseline:.4f}"
        label = {"full": "all items"}.get(protocol, protocol.replace("-", " "))
        figures.append(Figure(f"{name.upper()}, {label}", f"{values[name]:.4f}", remark))
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


def seconds_in_words(seconds: float) -> str:
    """Print a duration in the unit that suits it.

    >>> seconds_in_words(1.759), seconds_in_words(75), seconds_in_words(7322)
    ('1.76 s', '75.0 s', '122 min')
    """
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def bytes_in_words(n: int) -> str:
    """Print a size in the unit that suits it.

    >>> bytes_in_words(560_881_664), bytes_in_words(2_345_000_000)
    ('561 MB', '2.35 GB')
    """
    return f"{n / 1e9:.2f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"
