"""Judge a model by what it ranks where: protocols in, metrics out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.splits import Split
from irisrec.errors import DataError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.metrics import compute
from irisrec.evaluation.negatives import sample_negatives
from irisrec.evaluation.ranking import rank_targets
from irisrec.models.contract import Scorer
from irisrec.notes import Note


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model on one part of a split.

    Attributes:
        part: ``validation`` or ``test``.
        n_users: users with a target.
        metrics: {protocol: {"hr@10": mean over users, …}}; protocols are ``full`` and ``sampled-99`` or the like.
        per_user: {protocol: {metric: (n_users of the data,) values, NaN without a target}}.
        seconds: time for scoring and ranking.
        notes: what was short or left out.
    """

    part: str
    n_users: int
    metrics: dict[str, dict[str, float]]
    per_user: dict[str, dict[str, NDArray[np.float64]]]
    seconds: float
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the means as plain JSON values."""
        return {
            "part": self.part,
            "n_users": self.n_users,
            "protocols": self.metrics,
            "seconds": self.seconds,
        }


def candidates_to_sample(
    split: Split, config: EvaluationConfig, part: str
) -> tuple[dict[str, csr_matrix], list[Note]]:
    """Return {protocol: sampled candidates per user}: those the split brings for test, else a seeded draw."""
    if part == "test" and split.negatives is not None:
        return {"given-negatives": split.negatives}, []
    if not config.n_sampled:
        return {}, []
    targets = split.test if part == "test" else split.validation
    known = split.train + split.validation + split.test
    known.sort_indices()
    users = np.flatnonzero(np.diff(targets.indptr))
    drawn, notes = sample_negatives(known, users, config.n_sampled, config.seed)
    return {f"sampled-{config.n_sampled}": drawn}, notes


def evaluate(
    model: Scorer, split: Split, config: EvaluationConfig | None = None, part: str = "test"
) -> Evaluation:
    """Rank the held-out items of one part and average the metrics over its users.

    Users are known by their training items. The full ranking leaves out training items and, on test, validation
    items; on validation, test items stay candidates, for nothing may be learned from them. Ties count against the
    target.
    """
    config = config or EvaluationConfig()
    targets = split.test if part == "test" else split.validation
    if not targets.nnz:
        raise DataError(f"the split has no {part} interactions; see the section [split]")
    started = time.perf_counter()
    masked = split.train + split.validation if part == "test" else split.train
    sampled, notes = candidates_to_sample(split, config, part)
    ranks = rank_targets(model, split.train, targets, masked.tocsr(), sampled, config.batch_users)
    n_users = targets.shape[0]
    per_user = {
        protocol: compute(
            config.metrics, config.cutoffs, values, ranks.owners, n_users, ranks.n_candidates[protocol]
        )
        for protocol, values in ranks.ranks.items()
    }
    means = {protocol: mean_metrics(values) for protocol, values in per_user.items()}
    seconds = time.perf_counter() - started
    return Evaluation(part, len(np.unique(ranks.owners)), means, per_user, seconds, tuple(notes))


def mean_metrics(per_user: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Average each metric over the users who have a value; one that nobody has is left out."""
    return {
        name: float(np.nanmean(values)) for name, values in per_user.items() if not np.isnan(values).all()
    }
