"""What every model offers, whatever it is inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from irisrec.budget import at_once
from irisrec.errors import ModelError
from irisrec.models.features import FeatureScaler, held_features, held_masks, held_modalities
from irisrec.models.histories import Histories
from irisrec.models.shapley import MOST_PLAYERS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TABLES_OF_SCORES = 6  # (B, N) tables alive at once while users are scored and ranked


@dataclass(frozen=True)
class Reasons:
    """Why one user gets some candidates: every history item's share in every score.

    Attributes:
        relevance: a_ij (L, C), how much history item i counts for candidate j; 0 for the candidate itself, and the
            item's weight, 1 without weights, for all others in a model that does not tell them apart.
        similarity: p_i·q_j (L, C), or what stands in its place: w_ij of an item-item weight matrix.
        contribution: c_ij (L, C); a column plus the candidate's bias is its score.
        bias: b_j (C,), what the score is without the other items of the history.
    """

    relevance: Tensor
    similarity: Tensor
    contribution: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Shares:
    """Numbers of pairs (L, C), split: ``ids`` and all of ``modalities`` sum to them.

    Attributes:
        ids: what they are without any content.
        modalities: {modality: its Shapley value}; empty in a model that reads no content.
    """

    ids: Tensor
    modalities: dict[str, Tensor]


@dataclass(frozen=True)
class ModalityShares:
    """Which part of every relevance a_ij and every contribution c_ij comes from which modality."""

    relevance: Shares
    contribution: Shares


class Scorer(nn.Module, ABC):
    """Scores candidates for users, who are given as histories of item rows.

    Attributes:
        n_items: number of items; candidates and histories are rows below it.
        n_users: number of users with something learned for them; 0 where nothing is learned per user.
        n_added: how many of the items were added after training; they are the last.
        scalers: {modality: what its vectors were scaled by}, of a model that is fitted by gradients.
        is_probabilistic: whether ``sigmoid(score)`` is the estimated probability of an interaction.
        has_reasons: whether ``reasons`` gives exact contributions of history items.
        needs_gradient_training: whether the training loop has to fit it; if not, ``fit`` does.
        knows_users_only: whether it can score only users it was trained with, because it learns something per user.
    """

    is_probabilistic: bool = False
    has_reasons: ClassVar[bool] = False
    needs_gradient_training: ClassVar[bool] = False
    knows_users_only: ClassVar[bool] = False

    @property
    def scores_cold_items(self) -> bool:
        """Whether items without training interactions are scored by what they are, not by chance."""
        return False

    def __init__(self, n_items: int, n_users: int = 0) -> None:
        super().__init__()
        self.n_items = n_items
        self.n_users = n_users
        self.n_added = 0
        self.scalers: dict[str, FeatureScaler] = {}

    def fit(self, train: csr_matrix) -> Self:
        """Fit to a (n_users, n_items) matrix of interactions, in place; whatever was fitted before is forgotten.

        Raises:
            ModelError: a model that the training loop has to fit, or a matrix of other items.
        """
        if self.needs_gradient_training:
            raise ModelError(
                f"{type(self).__name__} is fitted by gradients; use irisrec.training.loop.fit(model, train, config)"
            )
        if train.shape[1] != self.n_items:
            raise ModelError(
                f"the matrix to fit needs one column for each of the {self.n_items:,} items of the model, "
                f"got shape {train.shape}"
            )
        self._fit(train)
        return self

    def _fit(self, train: csr_matrix) -> None:
        raise NotImplementedError

    @abstractmethod
    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) scores; ``candidates`` (C,) are ascending item rows, None means all items in order."""

    def reasons(self, history: Tensor, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Explain the scores of ``candidates`` (C,) for a user with ``history`` (L,), item rows in any order.

        ``weights`` (L,) say how many times each history item counts, as in `Histories`.
        """
        raise ModelError(f"{type(self).__name__} has no reasons to give: it does not score by history items")

    def explain(self, histories: Histories, candidates: Tensor) -> Reasons:
        """Explain the scores of each user's own candidates (B, K): `reasons` of B users, in tables (B, L, K).

        L is the length of the longest history; beyond the end of a shorter one everything is 0.
        """
        found = []
        for user, own in enumerate(candidates):
            history = histories.part(user, user + 1)
            found.append(self.reasons(history.items, own, history.weights))
        return Reasons(
            *(
                pad_sequence([getattr(reasons, name) for reasons in found], batch_first=True)
                for name in ("relevance", "similarity", "contribution", "bias")
            )
        )

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return what is learned of candidates (C,), as vectors (C, D) whose cosine says how alike they are."""
        raise ModelError(f"{type(self).__name__} learns no vectors of items to compare them by")

    @property
    def content_vectors(self) -> dict[str, Tensor]:
        """The scaled vectors (N, F) of each modality that the model reads, zeros for items that do not have it."""
        return held_features(self, held_modalities(self))

    @property
    def content_masks(self) -> dict[str, Tensor]:
        """Which items have each modality that the model reads, (N,) bool."""
        return held_masks(self, held_modalities(self))

    @property
    def splits_modalities(self) -> bool:
        """Whether there are modalities to split reasons among, and few enough for exact values."""
        return self.has_reasons and 0 < len(self.content_masks) <= MOST_PLAYERS

    def modality_shares(
        self, history: Tensor, candidates: Tensor, weights: Tensor | None = None
    ) -> ModalityShares:
        """Split relevance and contributions of `reasons` among the modalities; all is the ids' where it reads none."""
        reasons = self.reasons(history, candidates, weights)
        return ModalityShares(Shares(reasons.relevance, {}), Shares(reasons.contribution, {}))

    def modality_shares_of(self, histories: Histories, candidates: Tensor) -> ModalityShares:
        """Split the reasons of each user's own candidates (B, K): `modality_shares` of B users, in tables (B, L, K).

        L is the length of the longest history; beyond the end of a shorter one everything is 0.
        """
        found = []
        for user, own in enumerate(candidates):
            history = histories.part(user, user + 1)
            found.append(self.modality_shares(history.items, own, history.weights))

        def joined(shares: list[Shares]) -> Shares:
            names = shares[0].modalities
            ids = pad_sequence([share.ids for share in shares], batch_first=True)
            tables = {
                m: pad_sequence([share.modalities[m] for share in shares], batch_first=True) for m in names
            }
            return Shares(ids, tables)

        return ModalityShares(
            joined([shares.relevance for shares in found]), joined([shares.contribution for shares in found])
        )

    @torch.no_grad()
    def scores_without(
        self, history: Tensor, candidates: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return (L, C) scores for a user without each item of the history (L,) in turn.

        ``history`` and ``candidates`` are ascending item rows, all items if None; ``weights`` as of `reasons`.
        """
        return self.score(Histories.without_each(history, weights), candidates)

    @torch.no_grad()
    def rank_scores(self, histories: Histories, batch: int = 1024) -> Iterator[Tensor]:
        """Yield (b, N) scores of all items for successive parts of the histories, in evaluation mode."""
        training = self.training
        batch = at_once(batch, 4.0 * TABLES_OF_SCORES * self.n_items, share=0.5)
        self.eval()
        try:
            for start in range(0, len(histories), batch):
                yield self.score(histories.part(start, min(start + batch, len(histories))))
        finally:
            self.train(training)


def known_users(histories: Histories, n_users: int, name: str) -> Tensor:
    """Return the rows (B,) of the users among the ``n_users`` that the named model was trained with.

    Raises:
        ModelError: histories that do not say whose they are, or users from elsewhere.
    """
    users = histories.users
    if users is None or bool(((users < 0) | (users >= n_users)).any()):
        raise ModelError(
            f"{name} learns something for each user and can score only the {n_users:,} users it was trained with; "
            "ask for one of them, or train a model that needs no more than a history, such as 'ials' or 'ease'"
        )
    return users
