"""Scores where all history items count alike: a user is then the sum of the items' factors."""

from __future__ import annotations

import torch
from torch import Tensor

from irisrec.models.histories import Histories, history_sum


def uniform_scores(p: Tensor, q: Tensor, items: tuple[Tensor, Tensor | None], histories: Histories) -> Tensor:
    r"""Return ``Σ_{i ∈ H\j} w_i p_i·q_j`` (B, C) as ``(Σ_i w_i p_i)·q_j`` less the item's own product.

    Costs nnz K + B C K, where a table of pairs would cost R C K + nnz C. A history without any other item gets zero
    exactly.

    Args:
        p: (R, K), factors of the rows.
        q: (C, K), factors of the columns.
        items: item rows (R,) of the rows and (C,) of the columns, all items if None.
        histories: B histories over the rows.
    """
    scores = history_sum(histories, p) @ q.T
    rows, columns = items
    if not len(rows) or not len(q):
        return scores
    n_items = len(q) if columns is None else 1 + int(torch.maximum(rows.max(), columns.max()))
    places = rows if columns is None else rows.new_full((n_items,), -1)
    if columns is not None:
        places = places.index_put((columns,), torch.arange(len(columns), device=rows.device))[rows]
    there = places >= 0
    own = (p[there] * q[places[there]]).sum(1)  # of the rows that are columns too
    own = p.new_zeros(len(p)).index_put((there.nonzero()[:, 0],), own)
    kept = there[histories.items]
    users, entries = histories.owners[kept], histories.items[kept]
    products = own[entries] if histories.weights is None else own[entries] * histories.weights[kept].to(own)
    at = users, places[entries]
    products = torch.where(histories.lengths[users] == 1, scores[at], products)
    return scores.index_put(at, -products, accumulate=True)
