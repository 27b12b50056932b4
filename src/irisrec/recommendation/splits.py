"""How the modalities share the reasons of ranked lists, and in which of them the items are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.recommendation.choosing import Floats, Ints
from irisrec.recommendation.groups import of_like_length
from irisrec.recommendation.likeness import Likeness


@dataclass(frozen=True)
class ReasonSplits:
    """The split of K reasons each for R items of B users.

    Attributes:
        modalities, relevance_modalities: {modality: (B, K, R)}, its share in contribution and relevance, see
            `irisrec.models.modality_shares.shares_of`; NaN where there is no reason.
        shared, alike: {modality: (B, K, R) bool}, whether both items have it, and whether they are alike in it.
    """

    modalities: dict[str, Floats]
    relevance_modalities: dict[str, Floats]
    shared: dict[str, NDArray[np.bool_]]
    alike: dict[str, NDArray[np.bool_]]

    def of(self, place: tuple[int, int, int]) -> dict[str, Any]:
        """Return what the reason at a place has of it, by the names of `Reason`."""
        return {
            "modalities": {m: table[place].item() for m, table in self.modalities.items()},
            "relevance_modalities": {
                m: table[place].item() for m, table in self.relevance_modalities.items()
            },
            "shared": tuple(m for m, table in self.shared.items() if table[place]),
            "alike": tuple(m for m, table in self.alike.items() if table[place]),
        }


def split_reasons(
    scorer: Scorer, histories: Histories, items: Ints, reasons: Ints, likeness: Likeness
) -> ReasonSplits | None:
    """Split the reasons (B, K, R) for the items (B, K) of each user's list, both item rows or -1.

    None where the model has no modalities, or too many for exact values.
    """
    if not scorer.splits_modalities:
        return None
    names = tuple(scorer.content_masks)
    splits = ReasonSplits(
        {name: np.full(reasons.shape, np.nan) for name in names},
        {name: np.full(reasons.shape, np.nan) for name in names},
        {name: np.zeros(reasons.shape, bool) for name in names},
        {name: np.zeros(reasons.shape, bool) for name in names},
    )
    for users in of_like_length(histories.lengths.numpy(), items.shape[1]):
        if (reasons[users] >= 0).any():
            _split(scorer, histories.taken(torch.from_numpy(users)), items, reasons, users, splits, likeness)
    return splits


def _split(
    scorer: Scorer,
    histories: Histories,
    items: Ints,
    reasons: Ints,
    users: NDArray[np.int64],
    splits: ReasonSplits,
    likeness: Likeness,
) -> None:
    """Fill in some users, whose histories these are."""
    candidates = torch.from_numpy(items[users].clip(min=0))  # (b, K)
    shares = scorer.modality_shares_of(histories, candidates)  # of (b, L, K)
    owners, ranks, places = np.nonzero(reasons[users] >= 0)
    named = torch.from_numpy(reasons[users][owners, ranks, places])
    rows, _ = histories.padded()
    # the first place where the item stands; what fills a short history up comes after it
    at = (rows[owners] == named[:, None]).int().argmax(1)
    pairs = named, candidates[owners, ranks]

    def picked(table: Tensor) -> NDArray[Any]:
        return table[owners, at, ranks].numpy()

    where = users[owners], ranks, places
    for name, share in shares.contribution.modalities.items():
        splits.modalities[name][where] = picked(share)
    for name, share in shares.relevance.modalities.items():
        splits.relevance_modalities[name][where] = picked(share)
    for name, (shared, alike) in likeness.of_pairs(*pairs).items():
        splits.shared[name][where] = shared.numpy()
        splits.alike[name][where] = alike.numpy()
