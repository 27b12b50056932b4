"""EvaluationConfig: section ``[evaluation]`` of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from irisrec.evaluation.metrics import MetricName
from irisrec.settings import Settings


class EvaluationConfig(Settings):
    """Section ``[evaluation]``.

    Attributes:
        metrics: which are computed for each user and averaged.
        cutoffs: the N of HR@N and the like; AUC has none.
        n_sampled: sampled candidates per user; 0 for full ranking only.
        sampling: whether candidates are drawn evenly, or in proportion to their training interactions plus one.
        lists: whether the lists themselves are measured: coverage, novelty, diversity and the like.
        calibration: whether probabilities are held against what happened; needs a model that gives them, and
            candidates sampled evenly.
        negatives_per_target: how many unwanted items stand against each target in the world that the probabilities
            are about; in a run, as many as in training where not given.
        seed: of the sampled candidates.
        batch_users: users ranked at once.
    """

    metrics: tuple[MetricName, ...] = Field(default=("hr", "ndcg"), min_length=1)
    cutoffs: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(10, 20), min_length=1)
    n_sampled: int = Field(default=99, ge=0)
    sampling: Literal["uniform", "popularity"] = "uniform"
    lists: bool = True
    calibration: bool = True
    negatives_per_target: float | None = Field(default=None, gt=0)
    seed: int = 0
    batch_users: int = Field(default=1024, ge=1)
