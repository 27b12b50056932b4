"""ItemWeights: models that are nothing but a matrix of item-item weights, however it was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from irisrec.errors import ModelError
from irisrec.models.contract import Reasons, Scorer
from irisrec.models.histories import Histories, history_sum

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TABLES_TO_FIT = 6  # item x item tables in float32 that are alive at once while fitting, float64 counted twice


def zeros(n_items: int) -> Tensor:
    """Return a table (N, N) of zeros of which only what is written takes memory and time; saved weights replace it."""
    return torch.from_numpy(np.zeros((n_items, n_items), np.float32))


class ItemWeights(Scorer):
    """Score ``r_uj = Σ_{i ∈ H} w_ij``: a history is a sum of rows of W (N, N), whose diagonal is zero.

    A history item that counts several times adds its row as often.

    The contribution of a history item is its weight, so the reasons are exact; its relevance is 1, as in FISM.
    Subclasses say in ``_fitted`` how W is found.
    """

    has_reasons: ClassVar[bool] = True
    weights: Tensor

    def __init__(self, n_items: int) -> None:
        super().__init__(n_items)
        require_memory(type(self).__name__, n_items, 1)
        self.register_buffer("weights", zeros(n_items))

    def _fit(self, train: csr_matrix) -> None:
        require_memory(type(self).__name__, self.n_items, TABLES_TO_FIT)
        self.weights = self._fitted(train).float().fill_diagonal_(0).contiguous()

    def _fitted(self, train: csr_matrix) -> Tensor:
        """Return W (N, N) for the interactions (n_users, N); its diagonal is not used."""
        raise NotImplementedError

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) sums of weights."""
        if candidates is None:
            return history_sum(histories, self.weights)
        rows, local = histories.localized()
        return history_sum(local, self.weights[rows[:, None], candidates])

    def reasons(self, history: Tensor, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Return the entries of W between ``history`` (L,) and ``candidates`` (C,), weighted, as contributions."""
        similarity = self.weights[history[:, None], candidates]
        relevance = (history[:, None] != candidates).to(similarity.dtype)
        if weights is not None:
            relevance = relevance * weights[:, None]
        return Reasons(relevance, similarity, relevance * similarity, similarity.new_zeros(len(candidates)))

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return the columns of W (C, N): candidates are alike when the same history items speak for them."""
        return self.weights[:, candidates].T


def gram(train: csr_matrix) -> Tensor:
    """Return XᵀX (N, N) in float64: how many users two items share, how many an item has on the diagonal."""
    counts = (train.T @ train).toarray()
    return torch.from_numpy(counts.astype(np.float64))


def require_memory(name: str, n_items: int, n_tables: int) -> None:
    """Refuse a model whose item x item tables of four-byte numbers do not fit this machine."""
    needed = 4.0 * n_items**2 * n_tables
    there = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise ModelError(
            f"{name} needs tables of items x items: {n_items:,} items take {needed / 1e9:.0f} GB, this machine has "
            f"{there / 1e9:.0f} GB; leave rare items out (data.filters) or use 'ials'"
        )
