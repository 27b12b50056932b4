"""Robustness: what is left of a model's ranking when a share of the items comes without a modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from irisrec.models.contract import Scorer
from irisrec.models.features import held_features, held_masks

Filling = Literal["masked", "zeros", "mean"]
FILLINGS: tuple[Filling, ...] = get_args(Filling)
IN_WORDS: dict[Filling, str] = {
    "masked": "masked as missing",
    "zeros": "filled with zeros",
    "mean": "filled with the mean vector",
}
SHARES = (0.25, 0.5, 0.75, 1.0)


def without(present: Tensor, share: float, seed: int = 0) -> Tensor:
    """Return which items (N,) have a modality still, when a share of those that have it has lost it.

    All draws of a seed follow one order of the items: what a small share loses a larger one loses too, and every
    modality that all items have is lost by the same items.
    """
    order = torch.randperm(len(present), generator=torch.Generator().manual_seed(seed)).to(present.device)
    lost = order[present[order]]
    kept = present.clone()
    kept[lost[: round(share * len(lost))]] = False
    return kept


def filled(
    model: Scorer,
    raw: Mapping[str, Tensor],
    lost_by: Sequence[str],
    share: float,
    how: Filling,
    seed: int = 0,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return vectors and masks for `replaced`, in which a share of the items lacks the modalities ``lost_by``.

    Args:
        model: reads those modalities.
        raw: {modality: (N, F)}, the vectors as the encoders made them; zeros and mean are theirs.
        lost_by: modalities that the items lose, all of them at once.
        share: of the items that have the modality.
        how: ``masked``, they are missing; ``zeros`` and ``mean``, they count as there, with a vector of zeros or
            the mean vector of all items that had one.
        seed: of which items.
    """
    values, masks = held_features(model, tuple(lost_by)), held_masks(model, tuple(lost_by))
    tables = {}
    for name in lost_by:
        kept = without(masks[name], share, seed)
        if how == "masked":
            tables[name] = values[name] * kept[:, None], kept
            continue
        had = raw[name][masks[name]]
        filler = torch.zeros_like(had[0]) if how == "zeros" else had.mean(0)
        scaled = model.scalers[name](filler[None])
        tables[name] = torch.where((masks[name] & ~kept)[:, None], scaled, values[name]), masks[name]
    return tables
