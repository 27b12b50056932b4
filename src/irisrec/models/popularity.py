"""Popularity: the same ranking for everybody, the least that any model has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Popularity(Scorer):
    """Score an item by the logarithm of one plus its number of interactions."""

    log_counts: Tensor

    def __init__(self, n_items: int) -> None:
        super().__init__(n_items)
        self.register_buffer("log_counts", torch.zeros(n_items))

    def _fit(self, train: csr_matrix) -> None:
        self.log_counts = torch.from_numpy(np.bincount(train.indices, minlength=self.n_items)).float().log1p()

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return the same (B, C) row for every user."""
        counts = self.log_counts if candidates is None else self.log_counts[candidates]
        return counts.expand(len(histories), -1)
