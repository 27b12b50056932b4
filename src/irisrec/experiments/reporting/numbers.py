"""The section of numbers: every metric under its protocol, beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from irisrec.errors import count_of
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import candidates_in_words, model_in_words

MEANINGS = {
    "hr": "share of users with a held-out item among the first N",
    "ndcg": "the same, but a hit at rank r counts 1 / log₂(1 + r) instead of 1",
}


@dataclass(frozen=True)
class Row:
    """A model's numbers, one per metric of the table; ``best`` marks the highest of each column."""

    name: str
    values: tuple[str, ...]
    best: tuple[bool, ...]
    is_own: bool


@dataclass(frozen=True)
class ProtocolTable:
    """One protocol: its name, what it means, and a row for each model."""

    name: str
    sentence: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Numbers:
    """The section.

    Attributes:
        part: which part of the split was judged.
        users: how many users had a held-out item, in words.
        tables: one per protocol.
        meanings: (metric, what it is) for every family of metrics in the tables.
    """

    part: str
    users: str
    tables: tuple[ProtocolTable, ...]
    meanings: tuple[tuple[str, str], ...]


def numbers(run: FinishedRun) -> Numbers:
    """Lay out the evaluation of a run; baselines appear where the evaluation has them."""
    evaluation = run.evaluation
    own = model_in_words(run.config.model.name)
    tables = []
    for protocol, values in evaluation["protocols"].items():
        models = {own: values}
        for name, baseline in evaluation.get("baselines", {}).items():
            if protocol in baseline and name != run.config.model.name:
                models[model_in_words(name)] = baseline[protocol]
        tables.append(_table(protocol, models, own, protocol_in_words(protocol, run)))
    families = {name.partition("@")[0] for table in tables for name in table.metrics}
    meanings = tuple((f"{name.upper()}@N", words) for name, words in MEANINGS.items() if name in families)
    users = count_of(evaluation["n_users"], "user")
    return Numbers(evaluation["part"], users, tuple(tables), meanings)


def protocol_in_words(protocol: str, run: FinishedRun) -> str:
    """Say among what the held-out item is ranked."""
    ties = "An item with the same score counts as ranked before it."
    if protocol == "full":
        own = "training and validation items" if run.split.validation.nnz else "training items"
        n = f"{len(run.catalog):,}"
        return f"The held-out item is ranked among all {n} items except the user’s own {own}. {ties}"
    if protocol == "given-negatives":
        return f"The held-out item is ranked among the items that the data bring for each user. {ties}"
    kind, _, n = protocol.rpartition("-")
    if kind in ("sampled", "sampled-by-popularity") and n.isdigit():
        how = "uniformly" if kind == "sampled" else "by popularity"
        return (
            f"The held-out item is ranked among {n} items drawn {how} from those the user never had "
            f"(seed {run.config.evaluation.seed}). {ties}"
        )
    return ties


def _table(
    protocol: str, models: Mapping[str, Mapping[str, float]], own: str, sentence: str
) -> ProtocolTable:
    metrics = tuple(models[own])
    highest = {m: max(values[m] for values in models.values() if m in values) for m in metrics}
    rows = tuple(
        Row(
            name,
            tuple(f"{values[m]:.4f}" if m in values else "–" for m in metrics),
            tuple(len(models) > 1 and values.get(m) == highest[m] for m in metrics),
            name == own,
        )
        for name, values in models.items()
    )
    return ProtocolTable(
        candidates_in_words(protocol).capitalize(), sentence, tuple(m.upper() for m in metrics), rows
    )
