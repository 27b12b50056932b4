"""RidgeTerm: what a linear item model knows, inside an item-similarity model, and how to train beside it honestly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from irisrec.models.content_regression import ContentRegression
from irisrec.models.histories import Histories, history_sum
from irisrec.models.item_weights import TABLES_TO_FIT, gram, require_memory
from irisrec.models.linear import EASE, regularized_inverse

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class RidgeTerm(nn.Module):
    r"""Adds ``s Σ_{i ∈ H\j} w_ij`` to a score: the weights of a ridge regression of each item on the others, scaled.

    Not in the paper. Latent factors of a few dozen numbers cannot hold what pairs of items have to do with one
    another where interactions are few; a full item x item matrix can, and ridge regression finds it in closed form
    (`EASE`). The scale ``s`` is learned with the model, and each history item's share stays exact.

    The weights have seen every training interaction, so that beside them a model would learn to believe them too
    much. In training each user is therefore scored by the weights of the regression *without that user*. They differ
    from user to user but need not be computed: with ``P = (XᵀX + λI)⁻¹``, the user's row x, ``q = Px`` and
    ``h = xᵀq``, leaving x out makes it ``P' = P + qqᵀ / (1 - h)`` (Sherman and Morrison), and the sums over a
    history z need only ``q`` and ``Pz``: one more sparse product each.

    Content is taken in as further rows of X: ``P = (XᵀX + Σ_m c_m F_m F_mᵀ + λI)⁻¹`` with vectors of length one.

    An item without interactions has no weights of its own. Where a `ContentRegression` stands for it, its weights as
    a candidate are the combination of the trained items' weights that its content says; as a history item it has
    none. A trained item whose ids are hidden in a step is treated so as well, by the regression without that item.

    Args:
        n_items: number of items N.
        regularization: λ.
        content: {modality: c_m}, the weights of their vectors.
        scale: s before training.
    """

    weights: Tensor
    inverse: Tensor
    as_new: Tensor

    def __init__(
        self, n_items: int, regularization: float, content: Mapping[str, float], scale: float = 20.0
    ) -> None:
        super().__init__()
        require_memory("the ridge term", n_items, 1)
        self.regularization, self.content = regularization, content
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.register_buffer("weights", torch.zeros(n_items, n_items))
        # in training only: P, and the weights as a candidate that each item would have if nobody had had it
        self.register_buffer("inverse", torch.empty(0), persistent=False)
        self.register_buffer("as_new", torch.empty(0), persistent=False)

    @torch.no_grad()
    def fit(
        self, train: csr_matrix, features: Mapping[str, Tensor], unseen: ContentRegression | None = None
    ) -> None:
        """Find the weights for the interactions (n_users, N) and the scaled vectors {modality: (N, F)}.

        ``unseen`` stands for the items without interactions; without it they get weights like all others.
        """
        require_memory("fitting the ridge term", len(self.weights), TABLES_TO_FIT)
        matrix = gram(train)
        for name, weight in self.content.items():
            unit = normalize(features[name].cpu().double(), dim=1)  # rows of absent items stay zero
            if unseen is not None:
                unit[~unseen.trained.cpu()] = 0
            matrix.addmm_(unit, unit.T, alpha=weight)
        inverse = regularized_inverse(matrix, self.regularization)
        device = self.weights.device
        # rows are what histories sum, so they have to lie together; a Cholesky inverse comes column by column
        self.weights = EASE.weights_of(inverse).float().contiguous().to(device)
        self.inverse = inverse.float().contiguous().to(device)
        if unseen is not None:
            new = ~unseen.trained
            self.weights[:, new] = self.combined(unseen, {name: x[new] for name, x in features.items()})
            self.as_new = self.weights.clone()
            self.as_new[:, unseen.rows] = self._combined(unseen, unseen.without_itself())
            self.as_new.fill_diagonal_(0)

    def combined(
        self, unseen: ContentRegression, features: Mapping[str, Tensor], only: str | None = None
    ) -> Tensor:
        """Return the weights as candidates (N, n) of n items without interactions, as of `ContentRegression.shares`."""
        return self._combined(unseen, unseen.shares(features, only))

    def _combined(self, unseen: ContentRegression, shares: Tensor) -> Tensor:
        return self.weights[:, unseen.rows] @ shares.to(self.weights.dtype)

    @torch.no_grad()
    def grown(self, columns: Tensor) -> RidgeTerm:
        """Return the term for k more items with weights ``columns`` (N, k) as candidates; the scale is shared."""
        n, k = columns.shape
        term = RidgeTerm(n + k, self.regularization, self.content)
        term.log_scale = self.log_scale
        term.weights = self.weights.new_zeros(n + k, n + k)
        term.weights[:n, :n], term.weights[:n, n:] = self.weights, columns
        return term

    def pairs(self, rows: Tensor, candidates: Tensor | None) -> Tensor:
        """Return what history items (R,) add to the scores of candidates (C,), all items if None: (R, C)."""
        weights = self.weights[rows] if candidates is None else self.weights[rows[:, None], candidates]
        return self.log_scale.exp() * weights

    def of_pairs(self, items: Tensor, candidates: Tensor) -> Tensor:
        """Return the same for items (B, L) and candidates (B, K) of B users: (B, L, K)."""
        return self.log_scale.exp() * self.weights[items[:, :, None], candidates[:, None, :]]

    def training_scores(self, known: Histories, had: Histories, with_ids: Tensor | None = None) -> Tensor:
        """Return (B, N) sums over the ``known`` histories by the weights without the users, whose items are ``had``.

        Both are rows of the interactions that were fitted, ``known`` with some items left out. ``with_ids`` (N,) says
        which items are treated as trained ones, all if None. The weights of the others hold nothing of whether the
        user had them, and need no correction.
        """
        with torch.no_grad():
            if with_ids is None:
                scores = self._without_the_users(known, had)
            else:
                known = known.only(with_ids[known.items])
                scores = self._without_the_users(known, had)
                scores = torch.where(with_ids, scores, history_sum(known, self.as_new))
        return self.log_scale.exp() * scores

    def _without_the_users(self, known: Histories, had: Histories) -> Tensor:
        q = history_sum(had, self.inverse)  # (B, N)
        factor = 1 / (1 - _sums(q, had))  # (B,), 1 / (1 - h)
        column = history_sum(known, self.inverse) + (factor * _sums(q, known))[:, None] * q  # P'z
        diagonal = self.inverse.diagonal() + factor[:, None] * q.square()  # of P'
        own = known.membership(None, q.shape[1]).to(q.dtype)
        return own - column / diagonal


def _sums(values: Tensor, histories: Histories) -> Tensor:
    """Return (B,): for each history the sum of its own entries in its row of ``values`` (B, N)."""
    owners = histories.owners
    return values.new_zeros(len(values)).index_add_(0, owners, values[owners, histories.items])
