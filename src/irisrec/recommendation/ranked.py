"""Lists of many users as tables: which items, how they score, and which history items speak for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.recommendation.choosing import Floats, Ints, first_k
from irisrec.recommendation.groups import of_like_length
from irisrec.recommendation.splits import ReasonSplits


@dataclass(frozen=True)
class TopReasons:
    """The history items that contributed most to each recommended item, highest contribution first.

    Attributes:
        items: (B, K, R) item rows, -1 where the history has fewer other items.
        relevance, contribution: (B, K, R), see `irisrec.models.contract.Reasons`; NaN where there is no item.
    """

    items: Ints
    relevance: Floats
    contribution: Floats


@dataclass(frozen=True)
class RankedLists:
    """The lists of B users.

    Attributes:
        items: (B, K) item rows, best first, -1 where a user has fewer.
        scores: (B, K), NaN where there is no item.
        reasons: of each item.
        splits: of the reasons among the modalities; None where not asked for, or where there are none.
    """

    items: Ints
    scores: Floats
    reasons: TopReasons
    splits: ReasonSplits | None = None


def top_reasons(scorer: Scorer, histories: Histories, items: Ints, n_reasons: int) -> TopReasons:
    """Explain the items (B, K) of each user's list by up to ``n_reasons`` items of the history.

    Of equal contributions the item that comes first in the catalog leads. A candidate is no reason for itself.
    """
    lengths = histories.lengths.numpy()
    n = min(n_reasons, int(lengths.max(initial=0))) if scorer.has_reasons else 0
    shape = (*items.shape, n)
    top = TopReasons(np.full(shape, -1, np.int64), np.full(shape, np.nan), np.full(shape, np.nan))
    if n:
        for users in of_like_length(lengths, items.shape[1]):
            _explain(scorer, histories.taken(torch.from_numpy(users)), items[users], users, top)
    return top


def _explain(
    scorer: Scorer, histories: Histories, items: Ints, users: NDArray[np.int64], top: TopReasons
) -> None:
    """Fill in some users."""
    found = scorer.explain(histories, torch.from_numpy(items.clip(min=0)))
    rows, weights = (table.numpy() for table in histories.padded())  # (b, L)
    contribution, relevance = (
        table.transpose(1, 2).double().numpy() for table in (found.contribution, found.relevance)
    )  # (b, K, L)
    counts = (weights > 0)[:, None, :] & (rows[:, None, :] != items[:, :, None]) & (items >= 0)[:, :, None]
    n_users, n_items, longest = contribution.shape
    chosen = first_k(np.where(counts, contribution, -np.inf).reshape(-1, longest), top.items.shape[2])
    chosen = chosen.reshape(n_users, n_items, -1)
    there = chosen >= 0
    width = slice(chosen.shape[2])
    top.items[users, :, width] = np.where(there, np.take_along_axis(rows[:, None, :], chosen, 2), -1)
    for table, values in ((top.relevance, relevance), (top.contribution, contribution)):
        table[users, :, width] = np.where(there, np.take_along_axis(values, chosen, 2), np.nan)
