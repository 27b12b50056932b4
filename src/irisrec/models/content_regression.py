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

    def shares(self, features: Mapping[str, Tensor], only: str | None = None) -> Tensor:
        """Return (T, n), the combination of trained items that stands for each of n items.

        Args:
            features: {modality: (n, F)} scaled vectors.
            only: the part of it that comes from this modality; all of it if None.
        """
        x = _side_by_side(features, only)
        return self._x @ torch.cholesky_solve(x.T, self._factor)

    def without_itself(self) -> Tensor:
        """Return (T, T), the combination of the other trained items that stands for each, as if it were new.

        ``(ŷ - h y) / (1 - h)`` with h, its share in its own guess, is what the regression without it would guess.
        """
        shares = self._x @ torch.cholesky_solve(self._x.T, self._factor)
        own = shares.diagonal().clone()
        shares.fill_diagonal_(0)
        return shares / (1 - own)


def _side_by_side(features: Mapping[str, Tensor], only: str | None = None) -> Tensor:
    """Return (n, F) in double precision, other modalities than ``only`` and the constant zero."""
    parts = [
        normalize(x.double(), dim=1) if only in (None, name) else torch.zeros_like(x, dtype=torch.float64)
        for name, x in features.items()
    ]
    constant = parts[0].new_full((len(parts[0]), 1), float(only is None))
    return torch.cat([*parts, constant], dim=1)
