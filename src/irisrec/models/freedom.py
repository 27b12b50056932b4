"""FREEDOM: LightGCN beside a frozen graph of items that are alike in content, with its own edges thinned out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from irisrec.models.config import ModelConfig
from irisrec.models.contract import known_users
from irisrec.models.features import FeatureScaler, held_features, held_masks, hold_features
from irisrec.models.graphs import SparseMatrix, content_graph, normalized, thinned
from irisrec.models.histories import Histories
from irisrec.models.lightgcn import LightGCN
from irisrec.models.trainable import Scored


class FREEDOM(LightGCN):
    """Score ``r_uj = h_u·(h_j + s_j)``; knows only the users it was trained with.

    Zhou and Shen, A Tale of Two Graphs (2023). h are LightGCN's embeddings; s_j is the item's own embedding carried
    along the item graph, `graphs.content_graph`, which is made of the vectors once and never learned. In each epoch
    most interactions are left out of LightGCN's graph, `graphs.thinned`; scores come from all of them. Beside the
    loss of the scores stands, weighted by λ, that of ``h_u·W_m x_jm`` for each modality, over items that have it.

    Other than there the vectors are not trained themselves, their maps have no bias, and there are any number of
    modalities, which an item may lack: it is then nobody's neighbour in that modality's graph, and its neighbours in
    the others count for more. Content that is changed after training changes the item graph, not the embeddings.

    Args:
        config: ``dim`` is the width D, ``n_layers`` the layers along the interactions, ``item_layers`` those along
            the item graph, ``n_neighbors`` the neighbours of an item in each modality, ``graph_weights`` how much
            each modality counts (all the same where not given), ``edge_dropout`` the share of interactions left out,
            ``content_loss`` λ.
        n_items: number of items N.
        n_users: number of users.
        features: {modality: (N, F) float}, vectors as the encoders made them.
        present: {modality: (N,) bool}.
        scalers: {modality: what to scale its vectors by}, for weights that were trained with them.
    """

    name: ClassVar[str] = "freedom"
    takes_parts: ClassVar[bool] = (
        False  # a share of a user's positives has content, and that is of all of them
    )

    def __init__(
        self,
        config: ModelConfig,
        n_items: int,
        n_users: int,
        features: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        scalers: Mapping[str, FeatureScaler] | None = None,
    ) -> None:
        super().__init__(config, n_items, n_users)
        assert config.n_neighbors is not None  # has a default of its own
        self.modalities = config.modalities_of(tuple(features))
        self.item_layers, self.n_neighbors = config.item_layers, config.n_neighbors
        self.edge_dropout, self.content_loss = config.edge_dropout, config.content_loss
        self.graph_weights = {name: config.graph_weights.get(name, 1.0) for name in self.modalities}
        scaling = config.feature_scaling
        self.scalers = hold_features(self, self.modalities, features, present, scaling, scalers)
        self.maps = nn.ModuleDict()  # W
        for name, values in held_features(self, self.modalities).items():
            content_map = nn.Linear(values.shape[1], config.dim, bias=False)
            nn.init.xavier_uniform_(content_map.weight)
            self.maps[name] = content_map
        self._interactions: csr_matrix | None = None
        self._all_edges: SparseMatrix | None = None
        self._items: tuple[tuple[Tensor, ...], SparseMatrix] | None = None

    @property
    def scores_cold_items(self) -> bool:
        """By the embeddings of the items they are alike to; their own are then untrained."""
        return True

    def begin_training(self, train: csr_matrix, new: NDArray[np.bool_] | None = None) -> None:
        """Take the interactions as edges."""
        super().begin_training(train, new)
        self._interactions, self._all_edges = train, self.edges

    def begin_epoch(self, epoch: int) -> None:
        """Draw the interactions that this epoch goes along."""
        assert self._interactions is not None
        if self.edge_dropout:
            part = thinned(self._interactions, 1 - self.edge_dropout)
            self.edges = SparseMatrix.of(normalized(part), self.item_embeddings.device)

    def end_epoch(self) -> None:
        """Keep where the embeddings lead to along all interactions."""
        self.edges = self._all_edges
        super().end_epoch()

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """The embeddings of layer 0; the maps of the vectors stand for towers."""
        return super().parameter_groups() | {"towers": [*self.maps.parameters()]}

    def training_scores(
        self, known: Histories, had: Histories, candidates: Tensor | None = None
    ) -> Iterator[Scored]:
        """Yield the scores, and what each modality's vectors alone would score, over the items that have it."""
        users, items = self._final()
        rows = users[known_users(known, self.n_users, self.name)]
        some = slice(None) if candidates is None else candidates
        yield Scored(1.0, rows @ items[some].T)
        masks = held_masks(self, self.modalities)
        for name, values in held_features(self, self.modalities).items() if self.content_loss else ():
            yield Scored(self.content_loss, rows @ self.maps[name](values[some]).T, masks[name][some])

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return what their users' embeddings are multiplied with (C, D)."""
        return self._final()[1][candidates]

    def _final(self) -> tuple[Tensor, Tensor]:
        users, items = super()._final()
        of_content: Tensor = self.item_embeddings
        for _ in range(self.item_layers):
            of_content = self._item_graph() @ of_content
        return users, items + of_content

    def _item_graph(self) -> SparseMatrix:
        """Return the graph of the content that is held now; computed once for it."""
        values, masks = held_features(self, self.modalities), held_masks(self, self.modalities)
        held = (*values.values(), *masks.values())
        if self._items is None or any(a is not b for a, b in zip(self._items[0], held, strict=True)):
            graph = content_graph(values, masks, self.graph_weights, self.n_neighbors)
            self._items = held, SparseMatrix.of(graph, self.item_embeddings.device)
        return self._items[1]
