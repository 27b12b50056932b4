"""The section on the lists themselves: how varied, how new, how popular what is recommended is."""

from __future__ import annotations

from irisrec.experiments.reporting.findings import Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.tables import Row, Table, plain_cells
from irisrec.experiments.reporting.words import model_in_words

MEANINGS = {
    "coverage": "share of all items that stand in any list",
    "gini": "of how often items are recommended: 0 all alike, 1 one item alone",
    "novelty": "mean of −log₂ of the share of users who had the item",
    "popularity_lists": "mean popularity percentile of the items recommended; 0.5 for items drawn evenly",
    "popularity_histories": "the same of what the users had",
    "popularity_bias": "their difference: above 0 where lists are more popular than histories",
}


def lists(run: FinishedRun) -> Findings | None:
    """Lay out the list measures of a run beside those of popularity; None where they were not asked for."""
    own = run.evaluation.get("lists")
    if not own:
        return None
    beside = {} if len(run.frames) == 1 else run.evaluation.get("baseline_lists", {}).get("popularity", {})
    return list_findings({run.name: own} | ({model_in_words("popularity"): beside} if beside else {}))


def list_findings(runs: dict[str, dict[str, float]]) -> Findings:
    """Lay out one table per cutoff, the first to be read: a row per measure, a column per run."""
    cutoffs = dict.fromkeys(name.partition("@")[2] for lists in runs.values() for name in lists)
    first, *others = (_at_cutoff(runs, k) for k in cutoffs)
    words = "Measured over the full rankings of all users together, right or wrong."
    return Findings(words=(words,), tables=(first,), folded=tuple(others))


def _at_cutoff(runs: dict[str, dict[str, float]], k: str) -> Table:
    names = dict.fromkeys(name for lists in runs.values() for name in lists if name.endswith(f"@{k}"))
    rows = tuple(
        Row(
            measure_in_words(name),
            plain_cells([_number(lists.get(name)) for lists in runs.values()]),
            meaning(name),
        )
        for name in names
    )
    return Table(f"The first {k}", "", "measure", tuple(runs), rows)


def measure_in_words(name: str) -> str:
    """Return a list measure without its cutoff.

    >>> measure_in_words("popularity_bias@10"), measure_in_words("gini@10")
    ('popularity bias', 'Gini index')
    """
    return name.partition("@")[0].replace("_", " ").replace("gini", "Gini index")


def meaning(name: str) -> str:
    """Say what a list measure is; empty for one that needs no words."""
    measure = name.partition("@")[0]
    if measure.startswith("diversity_"):
        modality = measure.removeprefix("diversity_")
        return f"1 − mean cosine of the {modality} vectors within a list"
    return MEANINGS.get(measure, "")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")
