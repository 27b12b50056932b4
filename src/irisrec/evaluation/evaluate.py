"""Judge a model by what it ranks where: protocols in, metrics out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.splits import Split
from irisrec.errors import DataError
from irisrec.evaluation.bootstrap import mean_intervals
from irisrec.evaluation.calibration import Calibration, calibrate
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.lists import Content, list_measures
from irisrec.evaluation.metrics import compute
from irisrec.evaluation.negatives import sample_negatives
from irisrec.evaluation.ranking import Ranks, rank_targets
from irisrec.evaluation.unseen import unseen_notes
from irisrec.models.contract import Scorer
from irisrec.notes import Note


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model on one part of a split.

    Attributes:
        part: ``validation`` or ``test``.
        n_users: users with a target.
        metrics: {protocol: {"hr@10": mean over users, …}}; protocols are ``full``, ``sampled-99`` or the like, and
            ``every-item`` where ``full`` ranks only the items that the split has as candidates.
        per_user: {protocol: {metric: (n_users of the data,) values, NaN without a target}}.
        lists: {"coverage@10": …} of the full rankings, see `list_measures`; empty where not asked for.
        calibration: of the probabilities; None where the model gives none or candidates were not sampled evenly.
        seconds: time for scoring and ranking.
        notes: what was short or left out.
    """

    part: str
    n_users: int
    metrics: dict[str, dict[str, float]]
    per_user: dict[str, dict[str, NDArray[np.float64]]]
    seconds: float
    notes: tuple[Note, ...] = ()
    lists: dict[str, float] = field(default_factory=dict)
    calibration: Calibration | None = None

    @cached_property
    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """{protocol: {metric: (low, high)}}: the 95 % intervals of the means, see `bootstrap.mean_intervals`."""
        return {protocol: mean_intervals(values) for protocol, values in self.per_user.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the means and their intervals as plain JSON values."""
        return {
            "part": self.part,
            "n_users": self.n_users,
            "protocols": self.metrics,
            "intervals": {
                protocol: {metric: [low, high] for metric, (low, high) in found.items()}
                for protocol, found in self.intervals.items()
            },
            "lists": self.lists,
            "calibration": self.calibration.to_json() if self.calibration else None,
            "notes": [note.to_json() for note in self.notes],
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
    known = (split.known_by + split.validation + split.test).tocsr()
    among = split.candidates.get(part)
    rows = np.arange(known.shape[1]) if among is None else np.flatnonzero(among)
    known = known[:, rows]
    known.sort_indices()
    users = np.flatnonzero(np.diff(targets.indptr))
    weights = None
    if config.sampling == "popularity":
        weights = 1.0 + np.bincount(split.train.indices, minlength=split.train.shape[1])[rows]
    drawn, notes = sample_negatives(known, users, config.n_sampled, config.seed, weights)
    if among is not None:
        drawn = csr_matrix((drawn.data, rows[drawn.indices], drawn.indptr), shape=split.train.shape)
    name = "sampled" if weights is None else "sampled-by-popularity"
    return {f"{name}-{config.n_sampled}": drawn}, notes


def evaluate(
    model: Scorer,
    split: Split,
    config: EvaluationConfig | None = None,
    part: str = "test",
    content: Content | None = None,
) -> Evaluation:
    """Rank the held-out items of one part and average the metrics over its users.

    Users are known by their training items, or by the histories that the split brings. The full ranking leaves out
    these and, on test, validation items; on validation, test items stay candidates, for nothing may be learned from
    them. Ties count against the target. ``content`` is what the diversity of the lists is measured by.

    Raises:
        DataError: a part without targets.
        ModelError: scores that are not finite, or users that the model cannot know.
    """
    config = config or EvaluationConfig()
    targets = split.test if part == "test" else split.validation
    if not targets.nnz:
        raise DataError(f"the split has no {part} interactions; see the section [split]")
    started = time.perf_counter()
    known = split.known_by
    masked = known + split.validation if part == "test" else known
    top = max(config.cutoffs) if config.lists else 0
    sampled, notes = candidates_to_sample(split, config, part)
    notes += unseen_notes(model, split, part)
    ranks = rank_targets(
        model, known, targets, masked.tocsr(), sampled, config.batch_users, top, split.candidates.get(part)
    )
    n_users = targets.shape[0]
    per_user = {
        protocol: compute(
            config.metrics, config.cutoffs, values, ranks.owners, n_users, ranks.n_candidates[protocol]
        )
        for protocol, values in ranks.ranks.items()
    }
    means = {protocol: mean_metrics(values) for protocol, values in per_user.items()}
    lists = _measure_lists(ranks, split, config, content)
    calibration = _calibrate(model, ranks, config)
    seconds = time.perf_counter() - started
    return Evaluation(part, len(ranks.users), means, per_user, seconds, tuple(notes), lists, calibration)


def _measure_lists(
    ranks: Ranks, split: Split, config: EvaluationConfig, content: Content | None
) -> dict[str, float]:
    if not config.lists:
        return {}
    histories = split.known_by[ranks.users]
    return {
        f"{name}@{k}": value
        for k in config.cutoffs
        for name, value in list_measures(ranks.top[:, :k], histories, split.train, content).items()
    }


def _calibrate(model: Scorer, ranks: Ranks, config: EvaluationConfig) -> Calibration | None:
    drawn = ranks.candidate_scores.get(f"sampled-{config.n_sampled}")
    if not (config.calibration and model.is_probabilistic and drawn is not None):
        return None
    wanted = config.negatives_per_target
    if wanted is None:  # every candidate of the full ranking, for which the sampled ones stand
        _, at = np.unique(ranks.owners, return_index=True)
        n_others = ranks.n_candidates["full"][at].sum() - len(ranks.owners)
        wanted = float(n_others / len(ranks.owners))
    return calibrate(ranks.scores, drawn, wanted)


def mean_metrics(per_user: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Average each metric over the users who have a value; one that nobody has is left out."""
    return {
        name: float(np.nanmean(values)) for name, values in per_user.items() if not np.isnan(values).all()
    }
