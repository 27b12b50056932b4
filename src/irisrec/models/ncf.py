"""Neural collaborative filtering: factors that are multiplied (GMF), that go through a perceptron (MLP), or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from irisrec.models.blocks import in_row_blocks
from irisrec.models.config import ModelConfig
from irisrec.models.contract import known_users
from irisrec.models.histories import Histories
from irisrec.models.trainable import Trainable


class Part(nn.Module):
    """Factors of users and items, and the weights h of the last layer.

    Args:
        n_users: number of users.
        n_items: number of items N.
        width: of the factors.
        dim: width D of what the last layer reads.
        init_std: standard deviation of the factors before training.
    """

    def __init__(self, n_users: int, n_items: int, width: int, dim: int, init_std: float) -> None:
        super().__init__()
        self.user_factors = nn.Parameter(torch.empty(n_users, width).normal_(0, init_std))
        self.item_factors = nn.Parameter(torch.empty(n_items, width).normal_(0, init_std))
        self.output = nn.Parameter(torch.empty(dim))
        nn.init.xavier_uniform_(self.output[None])

    def forward(self, users: Tensor, items: Tensor | slice) -> Tensor:
        """Score rows of users (B,) against rows of items (C,) -> (B, C) logits."""
        raise NotImplementedError

    def item_vectors(self, items: Tensor | slice) -> Tensor:
        """Return what of items (C,) meets the users, (C, width)."""
        raise NotImplementedError


class GMF(Part):
    """Generalized matrix factorisation: ``hᵀ(p_u ∘ q_j)``, equation 11."""

    def __init__(self, n_users: int, n_items: int, dim: int, init_std: float) -> None:
        super().__init__(n_users, n_items, dim, dim, init_std)

    def forward(self, users: Tensor, items: Tensor | slice) -> Tensor:
        """Score rows of users (B,) against rows of items (C,) -> (B, C) logits."""
        return self.user_factors[users] @ self.item_vectors(items).T

    def item_vectors(self, items: Tensor | slice) -> Tensor:
        """Return ``h ∘ q_j`` of items (C,), (C, D)."""
        return self.output * self.item_factors[items]


class MLP(Part):
    """A perceptron on the concatenated factors, equation 10; each hidden layer is half as wide as the one below.

    The first layer is linear in user and item, so it splits into one table per side; what is left for every pair is
    the sum of the two and the layers above, block by block. The factors are as wide as the first of the ``n_layers``
    hidden layers.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, n_layers: int, init_std: float) -> None:
        widths = [dim << above for above in reversed(range(n_layers))]  # 4 D, 2 D, D
        super().__init__(n_users, n_items, widths[0], dim, init_std)
        self.first = nn.Linear(2 * widths[0], widths[0])
        self.upper = nn.ModuleList([nn.Linear(wide, wide // 2) for wide in widths[:-1]])
        for layer in (self.first, *self.upper):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, users: Tensor, items: Tensor | slice) -> Tensor:
        """Score rows of users (B,) against rows of items (C,) -> (B, C) logits."""
        weight, _ = self.first.weight.chunk(2, dim=1)
        a = self.user_factors[users] @ weight.T + self.first.bias  # (B, W)
        return in_row_blocks(self._above, a, self.item_vectors(items), self.first.out_features)

    def item_vectors(self, items: Tensor | slice) -> Tensor:
        """Return what items (C,) add to the first hidden layer, (C, W)."""
        _, weight = self.first.weight.chunk(2, dim=1)
        return self.item_factors[items] @ weight.T

    def _above(self, a: Tensor, b: Tensor) -> Tensor:
        hidden = (a[:, None, :] + b).relu_()  # (r, C, W)
        for layer in self.upper:
            hidden = layer(hidden).relu_()
        return hidden @ self.output


class NCF(Trainable):
    """Score ``r_uj = b_j`` plus the logits of its parts; knows only the users it was trained with.

    He, Liao, Zhang, Nie, Hu and Chua, Neural Collaborative Filtering (2017): one part is their GMF or MLP, both are
    NeuMF. Its last layer, equation 12, is linear in the concatenated parts, so its logit is the sum of theirs. With
    pretraining it begins from a GMF and an MLP fitted by themselves, half of each, equation 13 with α = 0.5. The item
    bias b_j is ours.

    Args:
        name: what people call it.
        parts: what is added, by name.
        n_items: number of items N.
        n_users: number of users.
        item_bias: whether candidates have a bias b_j.
        pretrain: whether each of several parts is fitted by itself first.
    """

    knows_users_only: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = False
    per_item: ClassVar[tuple[str, ...]] = ("parts.*.item_factors", "bias")
    per_user: ClassVar[tuple[str, ...]] = ("parts.*.user_factors",)

    def __init__(
        self,
        name: str,
        parts: Mapping[str, Part],
        n_items: int,
        n_users: int,
        item_bias: bool,
        pretrain: bool = False,
    ) -> None:
        super().__init__(n_items, n_users)
        self.name = name
        self.parts = nn.ModuleDict(parts)
        self.bias = nn.Parameter(torch.zeros(n_items)) if item_bias else None
        self.pretrain = pretrain

    @classmethod
    def of(cls, config: ModelConfig, n_items: int, n_users: int) -> NCF:
        """Build the model that the config names: gmf, mlp or neumf."""
        parts: dict[str, Part] = {}
        if config.name in ("gmf", "neumf"):
            parts["gmf"] = GMF(n_users, n_items, config.dim, config.init_std)
        if config.name in ("mlp", "neumf"):
            parts["mlp"] = MLP(n_users, n_items, config.dim, config.n_layers, config.init_std)
        pretrain = config.pretrain and len(parts) > 1
        return cls(config.name, parts, n_items, n_users, config.item_bias, pretrain)

    def pretraining(self) -> dict[str, Trainable]:
        """Return a model for each part, around the part itself."""
        if not self.pretrain:
            return {}
        has_bias = self.bias is not None
        return {
            name: NCF(name, {name: part}, self.n_items, self.n_users, has_bias)
            for name, part in self._parts()
        }

    @torch.no_grad()
    def after_pretraining(self, fitted: Mapping[str, Trainable]) -> None:
        """Take an equal share of each part's logit, biases included."""
        for _, part in self._parts():
            part.output.div_(len(fitted))
        if self.bias is not None:
            biases: list[Tensor] = [model.bias for model in fitted.values() if model.bias is not None]
            self.bias.copy_(torch.stack(biases).mean(0))

    def _parts(self) -> list[tuple[str, Part]]:
        return [(name, part) for name, part in self.parts.items() if isinstance(part, Part)]

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """Factors are embeddings, the perceptron's weights stand for towers."""
        weights = [(name, p) for name, p in self.parts.named_parameters() if p.ndim == 2]
        return {
            "embeddings": [p for name, p in weights if name.endswith("_factors")],
            "towers": [p for name, p in weights if not name.endswith("_factors")],
        }

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) logits; only ``histories.users`` are read."""
        users = known_users(histories, self.n_users, self.name)
        rows = slice(None) if candidates is None else candidates
        scores: Tensor = torch.stack([part(users, rows) for _, part in self._parts()]).sum(0)
        return scores if self.bias is None else scores + self.bias[rows]

    @torch.no_grad()
    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return what of them meets the users in each part, side by side."""
        return torch.cat([part.item_vectors(candidates) for _, part in self._parts()], dim=1)
