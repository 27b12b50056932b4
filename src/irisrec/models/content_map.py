"""ContentMap: what ids have learned of items, from their content, so that a new item has it too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Mapped(NamedTuple):
    """What content says of n items: p (n, D) as history, q (n, D) and the bias b (n,) as candidates.

    ``b`` is None where the map has none.
    """

    p: Tensor
    q: Tensor
    b: Tensor | None


class ContentMap(nn.Module):
    """Latent factors from content: ``p_i = P_i + Σ_m U_m x_mi`` and ``q_j = Q_j + Σ_m V_m x_mj``.

    Not in the paper, where content only weighs what ids have learned. An item with few interactions, whose own
    P and Q are still near zero, is then similar to what it looks and reads like. The maps are linear and begin as
    the modality's principal components, each modality in dimensions of its own and the same for both sides: before
    anything is learned, similarity is the inner product of the content, as in a content nearest-neighbour model.

    Where the ids of random items are hidden in training, the map has to do without them, and learns to; then it
    also has a bias, ``b_j = B_j + b + Σ_m w_m·x_mj``. An item that nobody has had yet is scored by the map alone, as
    an item without its ids was in training. Of a modality that an item does not have nothing is added, which with
    standardised vectors is what the mean item has: an item without any content is similar to nothing and of
    average popularity. Vectors are then brought to a mean length of one first: Adam moves all of a vector's weights by
    like steps, and by hundreds of numbers at once the map would outrun what it stands for. After Volkovs, Yu and
    Poutanen, DropoutNet (NIPS 2017), who drop preferences in the same way.

    Args:
        features: {modality: (N, F)} scaled vectors, rows of absent items zero.
        dim: width D of the factors.
        alone: whether the map has to do without ids.
        biased: whether it then has a bias.
        scale: mean squared length of an item's content factor at the start.
    """

    def __init__(
        self,
        features: Mapping[str, Tensor],
        dim: int,
        alone: bool = False,
        biased: bool = False,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self._lengths = {name: x.shape[1] ** 0.5 if alone else 1.0 for name, x in features.items()}
        self.history = nn.ParameterDict()
        self.candidate = nn.ParameterDict()
        shares = torch.arange(dim).tensor_split(len(features))  # dimensions of each modality
        for places, (name, values) in zip(shares, features.items(), strict=True):
            weight = values.new_zeros(dim, values.shape[1])
            n_components = min(len(places), *values.shape)
            if n_components:
                _, _, v = torch.pca_lowrank(values, n_components, center=False, niter=4)
                components = v.T  # (n_components, F)
                length = (values @ components.T).square().sum(1).mean().clamp(min=1e-12)
                weight[places[:n_components]] = components * (scale / len(features) / length).sqrt()
            weight *= self._lengths[name]
            self.history[name] = nn.Parameter(weight)
            self.candidate[name] = nn.Parameter(weight.clone())
        self.bias: nn.ParameterDict | None = None
        if alone and biased:
            # matrices of one row, for weights are kept small and single numbers are not
            self.bias = nn.ParameterDict({m: x.new_zeros(1, x.shape[1]) for m, x in features.items()})
            self.base = nn.Parameter(torch.zeros(()))

    def forward(self, features: Mapping[str, Tensor]) -> Mapped:
        """Map scaled vectors {modality: (n, F)}."""
        features = {name: x / self._lengths[name] for name, x in features.items()}
        history, candidate = (_sum(features, side) for side in (self.history, self.candidate))
        if self.bias is None:
            return Mapped(history, candidate, None)
        return Mapped(history, candidate, self.base + _sum(features, self.bias)[:, 0])


def _sum(features: Mapping[str, Tensor], weights: nn.ParameterDict) -> Tensor:
    return torch.stack([features[name] @ weight.T for name, weight in weights.items()]).sum(0)
