"""LightGCN: matrix factorisation whose embeddings are smoothed along the interactions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from irisrec.errors import ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.contract import known_users
from irisrec.models.graphs import SparseMatrix, mean_of_layers, normalized
from irisrec.models.histories import Histories
from irisrec.models.trainable import Trainable


class LightGCN(Trainable):
    """Score ``r_uj = e_u·e_j``, the mean of K + 1 layers of embeddings; knows only the users it was trained with.

    He, Deng, Wang, Li, Zhang and Wang, LightGCN (2020), equations 3 to 5, with α_k = 1 / (K + 1). Training goes
    through the graph of the interactions in every step; what it leads to is kept when an epoch ends, so that scoring
    needs no graph.

    Args:
        config: ``dim`` is the width D of the embeddings, ``n_layers`` K.
        n_items: number of items N.
        n_users: number of users.
    """

    name: ClassVar[str] = "lightgcn"
    knows_users_only: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = False
    per_item: ClassVar[tuple[str, ...]] = ("item_embeddings",)
    per_user: ClassVar[tuple[str, ...]] = ("user_embeddings",)
    final_users: Tensor
    final_items: Tensor

    def __init__(self, config: ModelConfig, n_items: int, n_users: int) -> None:
        super().__init__(n_items, n_users)
        self.n_layers = config.n_layers
        self.user_embeddings = nn.Parameter(torch.empty(n_users, config.dim).normal_(0, config.init_std))
        self.item_embeddings = nn.Parameter(torch.empty(n_items, config.dim).normal_(0, config.init_std))
        self.register_buffer("final_users", torch.zeros(n_users, config.dim))
        self.register_buffer("final_items", torch.zeros(n_items, config.dim))
        self.edges: SparseMatrix | None = None

    def begin_training(self, train: csr_matrix, new: NDArray[np.bool_] | None = None) -> None:
        """Take the interactions as edges."""
        self.edges = SparseMatrix.of(normalized(train), self.item_embeddings.device)

    @torch.no_grad()
    def end_epoch(self) -> None:
        """Keep where the embeddings lead to."""
        self.final_users, self.final_items = self._propagated()

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """All that is learned are the embeddings of layer 0."""
        return {"embeddings": [self.user_embeddings, self.item_embeddings]}

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) products of users and items; only ``histories.users`` are read."""
        known = known_users(histories, self.n_users, self.name)
        users, items = self._final()
        return users[known] @ (items if candidates is None else items[candidates]).T

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return their smoothed embeddings (C, D)."""
        return self.final_items[candidates]

    def _final(self) -> tuple[Tensor, Tensor]:
        """Return what users (n_users, D) and items (N, D) are multiplied by: along the graph, or as kept."""
        return self._propagated() if self.training else (self.final_users, self.final_items)

    def _propagated(self) -> tuple[Tensor, Tensor]:
        if self.edges is None:
            raise ModelError(f"{self.name} is trained along its graph; call begin_training first")
        return mean_of_layers(self.edges, self.user_embeddings, self.item_embeddings, self.n_layers)
