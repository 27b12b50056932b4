"""Nearest neighbours: items are alike by the users they share, or by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from irisrec.models.contract import ModalityShares, Shares
from irisrec.models.features import FeatureScaler
from irisrec.models.item_weights import ItemWeights, gram

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_BLOCK = 1024  # columns sorted at once


class ItemKNN(ItemWeights):
    """Weigh by the shrunk cosine ``n_ij / (√(n_i n_j) + s)`` between a candidate and its nearest items.

    Here n_ij counts the users that items i and j share, n_i those of item i. After Sarwar et al. (2001), with the
    shrinkage of Bell and Koren (2007).

    Args:
        n_items: number of items N.
        n_neighbors: history items that can speak for a candidate.
        shrinkage: s.
    """

    def __init__(self, n_items: int, n_neighbors: int, shrinkage: float) -> None:
        super().__init__(n_items)
        self.n_neighbors, self.shrinkage = n_neighbors, shrinkage

    def _fitted(self, train: csr_matrix) -> Tensor:
        shared = gram(train).float()
        lengths = shared.diagonal().sqrt()
        cosine = shared / (torch.outer(lengths, lengths) + self.shrinkage).clamp(min=1e-12)
        return nearest(cosine, self.n_neighbors)


class ContentKNN(ItemWeights):
    """Weigh by the cosine between the vectors of one modality; interactions teach nothing.

    An item that does not have the modality is nobody's neighbour and has none: it scores 0.

    Args:
        modality: which one, for people.
        values: (N, F), vectors as the encoder made them.
        present: (N,) bool.
        scaling: of the vectors before the cosine, as ``feature_scaling`` of `ModelConfig`.
        n_neighbors: history items that can speak for a candidate.
    """

    def __init__(
        self, modality: str, values: Tensor, present: Tensor, scaling: str, n_neighbors: int
    ) -> None:
        super().__init__(len(values))
        self.n_neighbors = n_neighbors
        self.modality = modality
        self.present = {modality: present}
        scaled = FeatureScaler.of(values, present, scaling)(values) * present[:, None]
        self._units = torch.nn.functional.normalize(scaled, dim=1)  # a row of zeros stays one

    @property
    def scores_cold_items(self) -> bool:
        """Interactions teach it nothing, so it misses none."""
        return True

    def _fitted(self, train: csr_matrix) -> Tensor:
        return nearest(self._units @ self._units.T, self.n_neighbors)

    def modality_shares(
        self, history: Tensor, candidates: Tensor, weights: Tensor | None = None
    ) -> ModalityShares:
        """Owe every contribution to the one modality: without it no item is anybody's neighbour."""
        reasons = self.reasons(history, candidates, weights)
        nothing = torch.zeros_like(reasons.contribution)
        return ModalityShares(
            relevance=Shares(reasons.relevance, {self.modality: nothing}),
            contribution=Shares(nothing, {self.modality: reasons.contribution}),
        )

    @property
    def content_vectors(self) -> dict[str, Tensor]:
        """The one modality's vectors (N, F) of length 1, zeros for items that do not have it."""
        return {self.modality: self._units}

    @property
    def content_masks(self) -> dict[str, Tensor]:
        """Which items have the one modality, (N,) bool."""
        return self.present


def nearest(similarity: Tensor, k: int) -> Tensor:
    """Keep in each column the k largest positive values off the diagonal, of equal ones the upper; changes the input.

    Args:
        similarity: (N, N), symmetric.
        k: values kept.
    """
    kept = torch.zeros_like(similarity)
    similarity.fill_diagonal_(0)
    for start in range(0, len(similarity), _BLOCK):
        rows = similarity[start : start + _BLOCK]  # equal to the columns
        values, places = torch.sort(rows, dim=1, descending=True, stable=True)
        block = torch.zeros_like(rows).scatter_(1, places[:, :k], values[:, :k].clamp(min=0))
        kept[:, start : start + _BLOCK] = block.T
    return kept
