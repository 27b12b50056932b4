"""RidgeTerm: what a linear item model knows, inside an item-similarity model, and how to train beside it honestly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from irisrec.models.content_regression import ContentRegression
from irisrec.models.histories import Histories, history_sum
from irisrec.models.item_weights import TABLES_TO_FIT, gram, require_memory, zeros
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
    a history item are the combination of the trained items' weights that its content says. As a candidate, where it
    has nothing else that tells people apart, it has that combination ``new`` times over: a guess differs far less
    from item to item than what is guessed, and the items it would stand beside have their factors as well.

    Args:
        n_items: number of items N.
        regularization: λ.
        content: {modality: c_m}, the weights of their vectors.
        new: how many times over the weights of candidates without interactions count.
        scale: s before training.
    """

    weights: Tensor
    inverse: Tensor

    def __init__(
        self,
        n_items: int,
        regularization: float,
        content: Mapping[str, float],
        new: float = 1.0,
        scale: float = 20.0,
    ) -> None:
        super().__init__()
        require_memory("the ridge term", n_items, 1)
        self.regularization, self.content, self.new = regularization, content, new
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.register_buffer("weights", zeros(n_items))
        self.register_buffer("inverse", torch.empty(0), persistent=False)  # P, in training only

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
            self.stand_in(unseen, features)

    @torch.no_grad()
    def stand_in(self, unseen: ContentRegression, features: Mapping[str, Tensor]) -> None:
        """Give the items without interactions their weights, by the scaled vectors {modality: (N, F)}."""
        new = ~unseen.trained
        shares = unseen.shares({name: x[new] for name, x in features.items()})
        self.weights[new] = self.as_history(unseen, shares)
        self.weights[:, new] = self.as_candidates(unseen, shares)

    def standing_in(self, unseen: ContentRegression, features: Mapping[str, Tensor]) -> RidgeTerm:
        """Return the term with other content of the items without interactions; the scale is shared."""
        term = RidgeTerm(len(self.weights), self.regularization, self.content, self.new)
        term.log_scale = self.log_scale
        term.weights = self.weights.clone()
        term.stand_in(unseen, features)
        return term

    def as_history(self, unseen: ContentRegression, shares: Tensor) -> Tensor:
        """Return the weights (n, N) as history items of n items without interactions, by their ``shares`` (T, n)."""
        return shares.T.to(self.weights.dtype) @ self.weights[unseen.rows]

    def as_candidates(self, unseen: ContentRegression, shares: Tensor) -> Tensor:
        """Return the same as candidates (N, n)."""
        return self.new * self.weights[:, unseen.rows] @ shares.to(self.weights.dtype)

    @torch.no_grad()
    def grown(self, unseen: ContentRegression, shares: Tensor) -> RidgeTerm:
        """Return the term for k more items, for whom ``shares`` (T, k) stand; the scale is shared."""
        n, k = len(self.weights), shares.shape[1]
        term = RidgeTerm(n + k, self.regularization, self.content, self.new)
        term.log_scale = self.log_scale
        term.weights = self.weights.new_zeros(n + k, n + k)
        term.weights[:n, :n] = self.weights
        term.weights[n:, :n] = self.as_history(unseen, shares)
        term.weights[:, n:] = term.as_candidates(unseen, shares)
        return term

    def pairs(self, rows: Tensor, candidates: Tensor | None) -> Tensor:
        """Return what history items (R,) add to the scores of candidates (C,), all items if None: (R, C)."""
        weights = self.weights[rows] if candidates is None else self.weights[rows[:, None], candidates]
        return self.log_scale.exp() * weights

    def of_pairs(self, items: Tensor, candidates: Tensor) -> Tensor:
        """Return the same for items (B, L) and candidates (B, K) of B users: (B, L, K)."""
        return self.log_scale.exp() * self.weights[items[:, :, None], candidates[:, None, :]]

    @torch.no_grad()
    def _without_the_users(self, known: Histories, had: Histories) -> Tensor:
        q = history_sum(had, self.inverse)  # (B, N)
        factor = 1 / (1 - _sums(q, had))  # (B,), 1 / (1 - h)
        column = history_sum(known, self.inverse) + (factor * _sums(q, known))[:, None] * q  # P'z
        diagonal = self.inverse.diagonal() + factor[:, None] * q.square()  # of P'
        own = known.membership(None, q.shape[1]).to(q.dtype)
        return own - column / diagonal

    def training_scores(self, known: Histories, had: Histories) -> Tensor:
        """Return (B, N) sums over the ``known`` histories by the weights without the users, whose items are ``had``.

        Both are rows of the interactions that were fitted, ``known`` with some items left out.
        """
        return self.log_scale.exp() * self._without_the_users(known, had)


def _sums(values: Tensor, histories: Histories) -> Tensor:
    """Return (B,): for each history the sum of its own entries in its row of ``values`` (B, N)."""
    owners = histories.owners
    return values.new_zeros(len(values)).index_add_(0, owners, values[owners, histories.items])
