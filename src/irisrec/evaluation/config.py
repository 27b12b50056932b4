"""EvaluationConfig: section ``[evaluation]`` of a config."""

from __future__ import annotations

from pydantic import Field

from irisrec.settings import Settings


class EvaluationConfig(Settings):
    """Section ``[evaluation]``.

    Attributes:
        cutoffs: the N of HR@N and NDCG@N.
        n_sampled: sampled candidates per user; 0 for full ranking only.
        seed: of the sampled candidates.
        batch_users: users ranked at once.
    """

    cutoffs: tuple[int, ...] = (10, 20)
    n_sampled: int = Field(default=99, ge=0)
    seed: int = 0
    batch_users: int = Field(default=1024, ge=1)
