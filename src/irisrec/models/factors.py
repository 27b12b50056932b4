"""Matrix factorisation by the package `implicit`: fitted there, scored here from plain tensors."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from irisrec.errors import ModelError
from irisrec.models.contract import Reasons, Scorer, known_users
from irisrec.models.histories import Histories, history_sum
from irisrec.progress import progress

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class IALS(Scorer):
    """Weighted matrix factorisation; a user's factors are folded in from the history, so anybody has some.

    ``x_u = (YᵀY + (c - 1) Y_HᵀY_H + λI)⁻¹ c Σ_{i ∈ H} y_i`` and ``r_uj = x_u·y_j``; Hu, Koren and Volinsky,
    Collaborative Filtering for Implicit Feedback Datasets (2008), equation 4, with one confidence for all
    interactions; a history item of weight w has theirs, ``1 + (c - 1) w``. A history item's contribution is
    ``c y_iᵀ(…)⁻¹y_j``, their section 5.

    Args:
        n_items: number of items N.
        dim: width D of the factors.
        regularization: λ.
        confidence: c, where a pair without interaction has 1.
        iterations: sweeps over users and items.
        seed: of the initial factors.
    """

    has_reasons: ClassVar[bool] = True
    item_factors: Tensor

    def __init__(
        self, n_items: int, dim: int, regularization: float, confidence: float, iterations: int, seed: int = 0
    ) -> None:
        super().__init__(n_items)
        self.regularization, self.confidence, self.iterations = regularization, confidence, iterations
        self.seed = seed
        self.register_buffer("item_factors", torch.zeros(n_items, dim))

    def _fit(self, train: csr_matrix) -> None:
        model = _fitted(
            "cpu.als.AlternatingLeastSquares",
            train,
            factors=self.item_factors.shape[1],
            regularization=self.regularization,
            alpha=self.confidence,
            iterations=self.iterations,
            num_threads=torch.get_num_threads(),
            random_state=self.seed,
        )
        self.item_factors = torch.from_numpy(model.item_factors)

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) products of folded-in users and items."""
        items = self.item_factors if candidates is None else self.item_factors[candidates]
        return self.fold_in(histories) @ items.T

    def fold_in(self, histories: Histories) -> Tensor:
        """Return the factors (B, D) that fit each history best."""
        dim = self.item_factors.shape[1]
        systems = self._gram().expand(len(histories), dim, dim).clone()  # (B, D, D)
        confidence = self._confidence(histories.items, histories.weights)
        for user, (start, stop) in enumerate(pairwise(histories.offsets.tolist())):
            y = self.item_factors[histories.items[start:stop]]  # (L, D)
            systems[user].addmm_(y.T * (confidence[start:stop] - 1), y)
        targets = history_sum(replace(histories, weights=confidence), self.item_factors)  # (B, D)
        factors: Tensor = torch.linalg.solve(systems, targets[:, :, None])[:, :, 0]
        return factors

    def reasons(self, history: Tensor, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Explain by each history item's share; a candidate's own, where the user had it, counts as its bias."""
        y, items = self.item_factors[history], self.item_factors[candidates]
        confidence = self._confidence(history, weights)
        system = self._gram().addmm(y.T * (confidence - 1), y)
        similarity = y @ torch.linalg.solve(system, items.T)  # (L, C)
        other = history[:, None] != candidates
        shares = confidence[:, None] * similarity
        relevance = torch.where(other, confidence[:, None] / self.confidence, 0.0)
        bias = torch.where(other, 0.0, shares).sum(0)
        return Reasons(relevance, self.confidence * similarity, torch.where(other, shares, 0.0), bias)

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return their factors (C, D)."""
        return self.item_factors[candidates]

    def _confidence(self, items: Tensor, weights: Tensor | None) -> Tensor:
        """Return the confidence in each history item, (nnz,)."""
        if weights is None:
            return self.item_factors.new_full((len(items),), self.confidence)
        return 1 + (self.confidence - 1) * weights

    def _gram(self) -> Tensor:
        y = self.item_factors
        return y.T @ y + self.regularization * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)


class BPRMF(Scorer):
    """Matrix factorisation for ranking pairs: ``r_uj = x_u·y_j + b_j``; knows only the users it was trained with.

    Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback (2009). Negatives are drawn as `implicit`
    draws them, in proportion to how many users had the item: what Gantner et al. (2012) call weighted BPR.

    Args:
        n_items: number of items N.
        n_users: number of users.
        dim: width D of the factors.
        regularization: of factors and biases.
        step_size: learning rate.
        iterations: passes over the interactions.
        seed: of initial factors and draws.
    """

    knows_users_only: ClassVar[bool] = True
    user_factors: Tensor
    item_factors: Tensor
    bias: Tensor

    def __init__(
        self,
        n_items: int,
        n_users: int,
        dim: int,
        regularization: float,
        step_size: float,
        iterations: int,
        seed: int = 0,
    ) -> None:
        super().__init__(n_items, n_users)
        self.regularization, self.step_size, self.iterations = regularization, step_size, iterations
        self.seed = seed
        self.register_buffer("user_factors", torch.zeros(n_users, dim))
        self.register_buffer("item_factors", torch.zeros(n_items, dim))
        self.register_buffer("bias", torch.zeros(n_items))

    def _fit(self, train: csr_matrix) -> None:
        model = _fitted(
            "cpu.bpr.BayesianPersonalizedRanking",
            train,
            factors=self.item_factors.shape[1],
            regularization=self.regularization,
            learning_rate=self.step_size,
            iterations=self.iterations,
            num_threads=1,  # several write into the same factors, and no run is like the other
            random_state=self.seed,
        )
        self.n_users = train.shape[0]
        self.user_factors = torch.from_numpy(model.user_factors[:, :-1].copy())  # the last column is 1
        self.item_factors = torch.from_numpy(model.item_factors[:, :-1].copy())
        self.bias = torch.from_numpy(model.item_factors[:, -1].copy())

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) products of users and items plus biases; only ``histories.users`` are read."""
        users = known_users(histories, self.n_users, "bpr-mf")
        rows = slice(None) if candidates is None else candidates
        return torch.addmm(self.bias[rows], self.user_factors[users], self.item_factors[rows].T)

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return their factors (C, D)."""
        return self.item_factors[candidates]


def _fitted(name: str, train: csr_matrix, *, iterations: int, **options: Any) -> Any:
    """Fit a class of the package; scoring saved models does not need it."""
    module, _, name = name.rpartition(".")
    from scipy.sparse import csr_matrix

    try:
        from threadpoolctl import threadpool_limits

        build = getattr(import_module(f"implicit.{module}"), name)
    except ImportError:
        raise ModelError(
            "iALS and BPR-MF are fitted by the package implicit; install it with: pip install 'irisrec[baselines]'"
        ) from None
    matrix = csr_matrix(train, dtype=np.float32)
    # its own threads and those of BLAS would get in each other's way
    with threadpool_limits(1, "blas"), progress("fitting", iterations) as task:
        model = build(iterations=iterations, **options)
        model.fit(matrix, show_progress=False, callback=lambda *_: task.advance())
    return model
