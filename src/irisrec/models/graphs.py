"""Graphs as fixed sparse matrices: embeddings travel along their edges, forward and back, at edges x D each way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.models.histories import Histories, bag_sum


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


def _lists(matrix: csr_matrix, device: torch.device) -> Histories:
    columns, offsets = (torch.from_numpy(x.astype(np.int64)) for x in (matrix.indices, matrix.indptr))
    return Histories(columns, offsets, weights=torch.from_numpy(matrix.data)).to(device)
