"""Graphs as fixed sparse matrices: embeddings travel along their edges, forward and back, at edges x D each way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.models.histories import Histories, bag_sum

_BLOCK = 1024  # rows of a table of all pairs of items held at once


@dataclass(frozen=True)
class SparseMatrix:
    """A matrix (R, C) that nothing is learned of, kept by rows and by columns.

    Its product with a table is differentiable in the table; the gradient is the product with the transposed matrix,
    which is there already.

    Attributes:
        rows: for each row the columns with an entry, and the entries as weights.
        columns: for each column the rows.
    """

    rows: Histories
    columns: Histories

    @classmethod
    def of(cls, matrix: csr_matrix, device: torch.device) -> SparseMatrix:
        """Copy a SciPy matrix without repeated entries."""
        return cls(*(_lists(csr_matrix(m), device) for m in (matrix, matrix.T)))

    @property
    def T(self) -> SparseMatrix:  # noqa: N802 (as that of a tensor)
        """The transposed matrix."""
        return SparseMatrix(self.columns, self.rows)

    def __matmul__(self, table: Tensor) -> Tensor:
        """Return the product (R, D) with a table (C, D)."""
        return _Product.apply(table, self)  # type: ignore[no-any-return, no-untyped-call]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return bag_sum(table, matrix.rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return bag_sum(gradients[0].contiguous(), ctx.matrix.columns), None


def normalized(train: csr_matrix) -> csr_matrix:
    """Return the (n_users, N) interactions as edges of weight ``1 / √(d_u d_i)``, where d counts a node's edges."""
    edges = csr_matrix(train, dtype=np.float32, copy=True)
    of_users, of_items = np.diff(edges.indptr), np.bincount(edges.indices, minlength=edges.shape[1])
    edges.data[:] = 1 / np.sqrt(np.repeat(of_users, of_users) * of_items[edges.indices].astype(np.float64))
    return edges


def mean_of_layers(edges: SparseMatrix, users: Tensor, items: Tensor, n_layers: int) -> tuple[Tensor, Tensor]:
    """Return users (n_users, D) and items (N, D) after light graph convolution along (n_users, N) edges.

    In each layer a node becomes the weighted sum of its neighbours; the result is the mean of all layers, the given
    embeddings among them.
    """
    of_users, of_items = users, items
    for _ in range(n_layers):
        users, items = edges @ items, edges.T @ users
        of_users, of_items = of_users + users, of_items + items
    return of_users / (n_layers + 1), of_items / (n_layers + 1)


def thinned(edges: csr_matrix, share: float) -> csr_matrix:
    """Return a share of the (n_users, N) interactions, at least one, drawn by torch's generator without replacement.

    The chance of each is proportional to ``1 / √(d_u d_i)``, so that those of popular items and busy users go first
    (Zhou and Shen 2023, section 3.2.2).
    """
    chances = torch.from_numpy(normalized(edges).data)
    kept = max(1, int(len(chances) * share))
    places = (chances / torch.empty_like(chances).exponential_()).topk(kept).indices.sort().values.numpy()
    rows = np.repeat(np.arange(edges.shape[0]), np.diff(edges.indptr))[places]
    return csr_matrix((edges.data[places], (rows, edges.indices[places])), shape=edges.shape)


def content_graph(
    values: Mapping[str, Tensor], present: Mapping[str, Tensor], weights: Mapping[str, float], k: int
) -> csr_matrix:
    """Return the (N, N) graph of items that are alike: ``Σ_m α_m S_m`` (Zhou and Shen 2023, equations 1 to 4).

    In S_m an item is joined to its k nearest by the cosine of modality m, itself among them, each by the same weight,
    and all of an item's weights sum to 1. So do α over the modalities that an item has, in proportion to ``weights``;
    one that has none is joined to nothing, not even itself.

    Args:
        values: {modality: (N, F)}.
        present: {modality: (N,) bool}.
        weights: {modality: α before they are made to sum to 1}.
        k: neighbours per item and modality.
    """
    n_items = len(next(iter(values.values())))
    total = torch.stack([weights[name] * present[name].double() for name in values]).sum(0)
    parts = []
    for name, vectors in values.items():
        rows, columns = _nearest_pairs(vectors, present[name], k)
        n_of_row = torch.bincount(rows, minlength=n_items).double()
        share = torch.where(total > 0, weights[name] / total, 0.0) / n_of_row.clamp(min=1)
        parts.append(
            csr_matrix((share[rows].float().cpu(), (rows.cpu(), columns.cpu())), shape=(n_items, n_items))
        )
    graph = sum(parts[1:], parts[0])
    graph.eliminate_zeros()
    return graph


def _nearest_pairs(values: Tensor, present: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return rows and columns (n,) of the k largest cosines of each present item with present items."""
    rows = present.nonzero()[:, 0]
    units = torch.nn.functional.normalize(values[rows], dim=1)
    k = min(k, len(rows))
    nearest = [(block @ units.T).topk(k, dim=1).indices for block in torch.split(units, _BLOCK)]
    columns = torch.cat([rows.new_empty(0, k), *(rows[places] for places in nearest)])
    return rows.repeat_interleave(k), columns.flatten()


def _lists(matrix: csr_matrix, device: torch.device) -> Histories:
    columns, offsets = (torch.from_numpy(x.astype(np.int64)) for x in (matrix.indices, matrix.indptr))
    return Histories(columns, offsets, weights=torch.from_numpy(matrix.data)).to(device)
