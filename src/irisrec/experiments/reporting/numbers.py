"""The section of numbers: every metric under its protocol, beside popularity, with intervals and stars."""

from __future__ import annotations

from dataclasses import replace

from irisrec.errors import count_of
from irisrec.evaluation.significance import compare
from irisrec.experiments.reporting.findings import Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import by_protocol, rule
from irisrec.experiments.reporting.words import candidates_in_words

MEANINGS = {
    "hr": "share of users with a held-out item among the first N",
    "ndcg": "the same, but a hit at rank r counts 1 / log₂(1 + r) instead of 1",
    "mrr": "1 / rank of the best held-out item, 0 beyond the first N",
    "recall": "share of the held-out items among the first N",
    "precision": "share of the first N that are held-out items",
    "map": "mean over the held-out items of the precision at the rank of each, 0 beyond the first N",
    "auc": "share of the pairs of a held-out and another item in which the held-out one comes first",
}


def numbers(run: FinishedRun) -> Findings:
    """Lay out the metrics of a run beside those of popularity, where they are kept."""
    table = compare(run.frames)
    reference = next(iter(run.frames)) if len(run.frames) > 1 else ""
    names = dict.fromkeys(reversed(run.frames), "")
    protocols = table["protocol"].unique(maintain_order=True).to_list()
    tables = tuple(
        replace(
            one,
            head="model",
            title=candidates_in_words(protocol).capitalize(),
            sentence=protocol_in_words(protocol, run),
        )
        for protocol, one in zip(protocols, by_protocol(table, names, run.name), strict=True)
    )
    part, users = run.evaluation["part"], count_of(run.evaluation["n_users"], "user")
    words = f"Judged on {part}, {users} with a held-out item. {rule(reference)}"
    return Findings(words=(words,), tables=tables, meanings=meanings(table["metric"].unique().to_list()))


def meanings(metrics: list[str]) -> tuple[tuple[str, str], ...]:
    """Return (metric, what it is) for every family of metrics, such as HR@N."""
    families = {name.partition("@")[0]: "@N" if "@" in name else "" for name in metrics}
    return tuple(
        (name.upper() + families[name], words) for name, words in MEANINGS.items() if name in families
    )


def protocol_in_words(protocol: str, run: FinishedRun) -> str:
    """Say among what the held-out item is ranked."""
    ties = "An item with the same score counts as ranked before it."
    if protocol in ("full", "every-item"):
        own = "training and validation items" if run.split.validation.nnz else "training items"
        among = run.split.candidates.get("test")
        if protocol == "full" and among is not None:
            return f"The held-out item is ranked among the {int(among.sum()):,} items wholly held out for test. {ties}"
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
