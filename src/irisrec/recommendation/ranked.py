"""Lists of many users as tables: which items, how they score, and which history items speak for them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.recommendation.choosing import Floats, Ints, first_k


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
    """

    items: Ints
    scores: Floats
    reasons: TopReasons


def top_reasons(scorer: Scorer, histories: Histories, items: Ints, n_reasons: int) -> TopReasons:
    """Explain the items (B, K) of each user's list by up to ``n_reasons`` items of the history.

    Of equal contributions the item that comes first in the catalog leads. A candidate is no reason for itself.
    """
    longest = int(histories.lengths.max()) if len(histories) else 0
    n = min(n_reasons, longest) if scorer.has_reasons else 0
    shape = (*items.shape, n)
    top = TopReasons(np.full(shape, -1, np.int64), np.full(shape, np.nan), np.full(shape, np.nan))
    if not n:
        return top
    for user, (start, stop) in enumerate(pairwise(histories.offsets.tolist())):
        listed = np.flatnonzero(items[user] >= 0)
        if stop > start and len(listed):
            weights = None if histories.weights is None else histories.weights[start:stop]
            _explain(scorer, histories.items[start:stop], weights, items[user], listed, user, top)
    return top


def _explain(
    scorer: Scorer,
    history: torch.Tensor,
    weights: torch.Tensor | None,
    items: Ints,
    listed: NDArray[np.intp],
    user: int,
    top: TopReasons,
) -> None:
    """Fill in one user."""
    places = listed[np.argsort(items[listed])]
    candidates = items[places]
    reasons = scorer.reasons(history, torch.from_numpy(candidates), weights)
    rows = history.numpy()
    contribution = reasons.contribution.T.double().numpy()  # (C, L)
    relevance = reasons.relevance.T.double().numpy()
    others = np.where(candidates[:, None] == rows, -np.inf, contribution)
    chosen = first_k(others, top.items.shape[2])  # (C, R)
    found = chosen >= 0
    for table, values in (
        (top.items, rows[None].repeat(len(candidates), 0)),
        (top.relevance, relevance),
        (top.contribution, contribution),
    ):
        picked = np.take_along_axis(values, chosen, axis=1)
        table[user, places, : chosen.shape[1]] = np.where(
            found, picked, table[user, places, : chosen.shape[1]]
        )
