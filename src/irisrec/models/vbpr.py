"""VBPR: matrix factorisation whose users also have a taste for what items look or read like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from irisrec.models.config import ModelConfig
from irisrec.models.contract import known_users
from irisrec.models.features import FeatureScaler, held_features, hold_features
from irisrec.models.histories import Histories
from irisrec.models.trainable import Trainable


class VBPR(Trainable):
    """Score ``r_uj = b_j + γ_u·γ_j + Σ_m (θ_um·E_m x_mj + β_m·x_mj)``; knows only the users it was trained with.

    He and McAuley, VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback (2016), equation 4, without the
    offsets that move no ranking and with one term for each modality instead of one for pictures. A modality that an
    item does not have adds zero. The loss is the training's: BPR as there, or pointwise as in the IRIS paper.

    Args:
        config: ``dim`` is the width D of the latent factors and of each modality's.
        n_items: number of items N.
        n_users: number of users.
        features: {modality: (N, F) float}, vectors as the encoders made them.
        present: {modality: (N,) bool}.
        scalers: {modality: what to scale its vectors by}, for weights that were trained with them.
    """

    knows_users_only: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = False
    per_item: ClassVar[tuple[str, ...]] = ("item_factors", "bias")
    per_user: ClassVar[tuple[str, ...]] = ("user_factors", "tastes.*")

    def __init__(
        self,
        config: ModelConfig,
        n_items: int,
        n_users: int,
        features: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        scalers: Mapping[str, FeatureScaler] | None = None,
    ) -> None:
        super().__init__(n_items, n_users)
        self.modalities = config.modalities_of(tuple(features))
        scaling = config.feature_scaling
        self.scalers = hold_features(self, self.modalities, features, present, scaling, scalers)

        def factors(n: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(n, config.dim).normal_(0, config.init_std))

        self.user_factors, self.item_factors = factors(n_users), factors(n_items)  # γ
        self.bias = nn.Parameter(torch.zeros(n_items)) if config.item_bias else None
        self.tastes = nn.ParameterDict({name: factors(n_users) for name in self.modalities})  # θ
        self.maps = nn.ModuleDict()  # E
        self.liked = nn.ModuleDict()  # β, what everybody likes
        for name, values in held_features(self, self.modalities).items():
            taste_map = nn.Linear(values.shape[1], config.dim, bias=False)
            liked = nn.Linear(values.shape[1], 1, bias=False)
            nn.init.xavier_uniform_(taste_map.weight)
            nn.init.zeros_(liked.weight)
            self.maps[name], self.liked[name] = taste_map, liked

    @property
    def scores_cold_items(self) -> bool:
        """By their content; their own factors are then untrained."""
        return True

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """Factors and tastes are embeddings, the maps of the vectors stand for towers."""
        embeddings = [self.user_factors, self.item_factors, *self.tastes.values()]
        return {"embeddings": embeddings, "towers": [*self.maps.parameters(), *self.liked.parameters()]}

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) logits; only ``histories.users`` are read."""
        users = known_users(histories, self.n_users, "vbpr")
        rows = slice(None) if candidates is None else candidates
        scores = self.user_factors[users] @ self.item_factors[rows].T
        if self.bias is not None:
            scores = scores + self.bias[rows]
        for name, values in held_features(self, self.modalities).items():
            seen = values[rows]  # (C, F)
            scores = scores + self.tastes[name][users] @ self.maps[name](seen).T + self.liked[name](seen).T
        return scores

    @torch.no_grad()
    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return what their users' factors and tastes are multiplied with, side by side (C, D and D per modality)."""
        content = held_features(self, self.modalities)
        mapped = [self.maps[name](values[candidates]) for name, values in content.items()]
        return torch.cat([self.item_factors[candidates], *mapped], dim=1)
