"""Linear models: each item is predicted from the others, by ridge regression (EASE) or an elastic net (SLIM)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from irisrec.models.item_weights import ItemWeights, gram
from irisrec.progress import progress

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class EASE(ItemWeights):
    """Minimise ``‖X - XW‖² + λ‖W‖²`` with a zero diagonal, in closed form.

    ``w_ij = -p_ij / p_jj`` with ``P = (XᵀX + λI)⁻¹``; Steck, Embarrassingly Shallow Autoencoders (2019), equation 8.

    Args:
        n_items: number of items N.
        regularization: λ.
    """

    def __init__(self, n_items: int, regularization: float) -> None:
        super().__init__(n_items)
        self.regularization = regularization

    def _fitted(self, train: csr_matrix) -> Tensor:
        return self.weights_of(regularized_inverse(gram(train), self.regularization))

    @staticmethod
    def weights_of(inverse: Tensor) -> Tensor:
        """Return W (N, N) of P (N, N), ``-p_ij / p_jj`` with a zero diagonal."""
        return (inverse / -inverse.diagonal()).fill_diagonal_(0)


class SLIM(ItemWeights):
    """Minimise ``½‖X - XW‖² + ½λ‖W‖² + μ‖W‖₁`` over weights that are not negative, with a zero diagonal.

    The problem of Ning and Karypis, SLIM (2011), for all items at once by the alternating directions of Steck et al.,
    ADMM SLIM (2020): one product of item x item matrices per step instead of a regression per item. Ends after
    ``iterations`` steps, or earlier when no weight moves by more than a thousandth of the largest.

    Args:
        n_items: number of items N.
        regularization: λ.
        sparsity: μ.
        iterations: steps at most.
    """

    def __init__(self, n_items: int, regularization: float, sparsity: float, iterations: int) -> None:
        super().__init__(n_items)
        self.regularization, self.sparsity, self.iterations = regularization, sparsity, iterations

    def _fitted(self, train: csr_matrix) -> Tensor:
        counts = gram(train)
        # the splitting penalty has no part in the solution; of the size of the Gram matrix' diagonal it is found fast
        penalty = max(float(counts.diagonal().mean()), 1.0)
        inverse = regularized_inverse(counts.clone(), self.regularization + penalty).float()
        diagonal = inverse.diagonal().clone()
        ridge = inverse @ counts.float()  # the solution without constraints
        del counts
        sparse = torch.zeros_like(ridge)  # meets the constraints
        dual = torch.zeros_like(ridge)  # scaled by the penalty
        with progress("SLIM", self.iterations) as task:
            for _ in range(self.iterations):
                dense = torch.addmm(ridge, inverse, sparse - dual, alpha=penalty)  # solves the quadratic part
                dense -= inverse * (dense.diagonal() / diagonal)  # with a zero diagonal
                before, sparse = sparse, (dense + dual - self.sparsity / penalty).clamp_(min=0)
                dual += dense
                dual -= sparse
                task.advance()
                largest = float(sparse.max())
                moved = max(float((sparse - before).abs().max()), float((sparse - dense).abs().max()))
                if moved <= 1e-3 * largest:
                    break
        return sparse


def regularized_inverse(matrix: Tensor, regularization: float) -> Tensor:
    """Return ``(A + λI)⁻¹`` of a symmetric matrix without negative eigenvalues; changes the input."""
    matrix.diagonal().add_(regularization)
    return torch.cholesky_inverse(torch.linalg.cholesky(matrix))
