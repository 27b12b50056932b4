"""ContentRegression: a new item as a combination of the trained items, by its content."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize


class ContentRegression:
    """Whatever is known of the trained items as numbers y, guessed for others by ridge regression on content.

    With one row x for each trained item, its modalities' vectors each brought to length one and side by side, and a
    constant: ``ŷ = xᵀ (XᵀX + λI)⁻¹ Xᵀ y``, a combination of the trained items' numbers. The combination depends on
    the content alone, and adds up over the new item's modalities.

    Args:
        features: {modality: (N, F)} scaled vectors, rows of absent items zero.
        trained: (N,) bool.
        regularization: λ.
    """

    def __init__(self, features: Mapping[str, Tensor], trained: Tensor, regularization: float) -> None:
        self.trained = trained
        self.rows = trained.nonzero()[:, 0]  # (T,)
        self._x = _side_by_side({name: x[self.rows] for name, x in features.items()})  # (T, F)
        gram = self._x.T @ self._x
        gram.diagonal().add_(regularization)
        self._factor = torch.linalg.cholesky(gram)

    def shares(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return (T, n), the combination of trained items that stands for each of n items.

        ``features`` are {modality: (n, F)} scaled vectors; one of zeros adds nothing, whatever the others.
        """
        x = _side_by_side(features)
        return self._x @ torch.cholesky_solve(x.T, self._factor)


def _side_by_side(features: Mapping[str, Tensor]) -> Tensor:
    """Return (n, F) in double precision, the constant last."""
    parts = [normalize(x.double(), dim=1) for x in features.values()]
    return torch.cat([*parts, parts[0].new_ones(len(parts[0]), 1)], dim=1)
