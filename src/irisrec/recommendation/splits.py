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
    for user in range(len(items)):
        if (reasons[user] >= 0).any():
            _split(scorer, histories.part(user, user + 1), items[user], reasons[user], user, splits, likeness)
    return splits


def _split(
    scorer: Scorer,
    history: Histories,
    items: Ints,
    reasons: Ints,
    user: int,
    splits: ReasonSplits,
    likeness: Likeness,
) -> None:
    """Fill in one user."""
    ranks, places = np.nonzero(reasons >= 0)
    rows, candidates = history.items, torch.from_numpy(items[items >= 0])
    order = torch.argsort(rows)
    at = order[torch.searchsorted(rows[order], torch.from_numpy(reasons[ranks, places]))]
    shares = scorer.modality_shares(rows, candidates, history.weights)

    def picked(table: Tensor, row: Tensor) -> NDArray[Any]:
        return table[row, torch.from_numpy(ranks)].numpy()

    named, of_named = torch.unique(
        rows[at], return_inverse=True
    )  # likeness is costly, and asked of these alone
    for tables, found, row in (
        (splits.modalities, shares.contribution.modalities, at),
        (splits.relevance_modalities, shares.relevance.modalities, at),
        (splits.shared, likeness.shared(named, candidates), of_named),
        (splits.alike, likeness.alike(named, candidates), of_named),
    ):
        for name, table in found.items():
            tables[name][user, ranks, places] = picked(table, row)
