"""Likeness: which items are alike by their content, for words that claim it."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from irisrec.models.contract import Scorer

_PAIRS = 20_000


class Likeness:
    """Whether two items are alike in a modality: more than nine in ten pairs of items are, by their vectors.

    Both must have the modality, and the cosine of their vectors, as the model reads them, must not be less than the
    90th percentile among pairs of items that have it; 20,000 pairs are drawn to find that, always the same, of items
    that were there in training.
    """

    def __init__(self, model: Scorer) -> None:
        self._model = model

    @cached_property
    def bounds(self) -> dict[str, float]:
        """The least cosine of items that are alike, by modality."""
        n = self._model.n_items - self._model.n_added
        return {name: _bound(vectors[:n], self._masks[name][:n]) for name, vectors in self._vectors.items()}

    @cached_property
    def _vectors(self) -> dict[str, Tensor]:
        return self._model.content_vectors

    @cached_property
    def _masks(self) -> dict[str, Tensor]:
        return self._model.content_masks

    def shared(self, items: Tensor, others: Tensor) -> dict[str, Tensor]:
        """Return {modality: (L, C) bool}, whether both have it, of item rows (L,) and item rows (C,)."""
        return {name: mask[items, None] & mask[others] for name, mask in self._masks.items()}

    def alike(self, items: Tensor, others: Tensor) -> dict[str, Tensor]:
        """Return {modality: (L, C) bool}, whether they are alike in it, of item rows (L,) and item rows (C,)."""
        found = self.shared(items, others)
        for name, vectors in self._vectors.items():
            found[name] &= _units(vectors[items]) @ _units(vectors[others]).T >= self.bounds[name]
        return found

    def of_pairs(self, items: Tensor, others: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Return {modality: (n,) bool whether both have it, (n,) bool whether they are alike in it} of n pairs."""
        found = {}
        for name, vectors in self._vectors.items():
            mask = self._masks[name]
            shared = mask[items] & mask[others]
            cosines = [  # a part at a time: pairs of wide vectors take memory
                (
                    _units(vectors[items[start : start + 1024]])
                    * _units(vectors[others[start : start + 1024]])
                ).sum(1)
                for start in range(0, len(items), 1024)
            ]
            found[name] = shared, shared & (torch.cat(cosines) >= self.bounds[name])
        return found


def _bound(vectors: Tensor, mask: Tensor) -> float:
    rows = mask.nonzero()[:, 0].cpu()
    if len(rows) < 2:
        return 1.0
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(len(rows), (_PAIRS,), generator=generator)
    second = (first + torch.randint(1, len(rows), (_PAIRS,), generator=generator)) % len(rows)
    units = _units(vectors)
    cosines = torch.cat(  # a part at a time: pairs of wide vectors take memory
        [
            (units[rows[first[start : start + 1024]]] * units[rows[second[start : start + 1024]]]).sum(1)
            for start in range(0, _PAIRS, 1024)
        ]
    )
    return float(cosines.quantile(0.9))


def _units(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors, dim=1)
