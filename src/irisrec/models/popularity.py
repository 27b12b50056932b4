"""Popularity: the same ranking for everybody, the least that any model has to beat."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories


class Popularity(Scorer):
    """Score an item by the logarithm of its number of interactions, plus one."""

    def __init__(self, n_items: int) -> None:
        super().__init__(n_items)
        self.register_buffer("log_counts", torch.zeros(n_items))

    def fit(self, train: Any) -> Popularity:
        """Count the interactions of each item in a (n_users, n_items) matrix."""
        self.log_counts = torch.from_numpy(
            train.sum(axis=0).A1 if hasattr(train.sum(axis=0), "A1") else train.sum(0)
        )
        self.log_counts = self.log_counts.float().log1p()
        return self

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return the same (B, C) row for every user."""
        counts: Tensor = self.log_counts if candidates is None else self.log_counts[candidates]
        return counts.expand(len(histories), -1)
