"""Relevance: how much a history item counts for a candidate, as an unnormalised logit for every pair."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from irisrec.models.blocks import in_row_blocks
from irisrec.models.pair_kernel import ACTIVATIONS, pair_logits


class AdditiveAttention(nn.Module):
    """``g_ij = hᵀ f(Σ_m W_m x_mi + Σ_m W'_m x_mj + b)``: the two-layer perceptron of equations (4) and (6).

    The first layer is linear in the two items, so it splits into one table per side; only the sum of the two, the
    activation and the second layer are left for every pair.

    Args:
        widths: width of each input, by name; one for Image IRIS and NAIS (concatenation), M for M modalities.
        hidden: width D of the hidden layer.
        activation: relu, sigmoid or tanh.
    """

    def __init__(self, widths: Mapping[str, int], hidden: int, activation: str) -> None:
        super().__init__()
        self.activation = activation
        self.history = nn.ModuleDict(
            {name: nn.Linear(width, hidden, bias=False) for name, width in widths.items()}
        )
        self.candidate = nn.ModuleDict(
            {name: nn.Linear(width, hidden, bias=False) for name, width in widths.items()}
        )
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Parameter(torch.empty(hidden))
        for weight in (*self.history.parameters(), *self.candidate.parameters(), self.output[None]):
            nn.init.xavier_uniform_(weight)

    def forward(self, history: Mapping[str, Tensor], candidates: Mapping[str, Tensor]) -> Tensor:
        """Score pairs.

        Shape:
            history {name: (R, F)}, candidates {name: (C, F)} -> (R, C)
        """
        a, b = self.sides(history, candidates)
        return pair_logits(a, b, self.output, self.activation)

    def sides(self, history: Mapping[str, Tensor], candidates: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return what each side brings to a pair: (R, D) of history items, and (C, D) of candidates."""
        a = sum(layer(history[name]) for name, layer in self.history.items())
        b = sum(layer(candidates[name]) for name, layer in self.candidate.items()) + self.bias
        return a, b

    def of_sides(self, a: Tensor, b: Tensor) -> Tensor:
        """Score pairs of sides (…, D) that broadcast against each other, all at once."""
        return ACTIVATIONS[self.activation](a + b) @ self.output


class ProductAttention(nn.Module):
    """``g_ij = hᵀ f(W (p_i ∘ q_j) + b)``: the perceptron of NAIS on the product of the latent factors.

    The product does not split into one table per side: 2 R C D² operations, D times those of the sum.
    """

    def __init__(self, width: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.activation = activation
        self.weight = nn.Parameter(torch.empty(hidden, width))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Parameter(torch.empty(hidden))
        nn.init.xavier_uniform_(self.weight)
        nn.init.xavier_uniform_(self.output[None])

    def forward(self, history: Tensor, candidates: Tensor) -> Tensor:
        """Score pairs.

        Shape:
            history (R, F), candidates (C, F) -> (R, C)
        """
        return in_row_blocks(self._block, history, candidates, len(self.output))

    def _block(self, history: Tensor, candidates: Tensor) -> Tensor:
        weighted = history[:, None, :] * self.weight  # (r, D, F)
        hidden = ACTIVATIONS[self.activation](weighted @ candidates.T + self.bias[:, None])  # (r, D, C)
        return torch.einsum("rdc,d->rc", hidden, self.output)
