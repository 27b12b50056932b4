"""Feature towers: frozen vectors of any number of modalities become the inputs of the attention, trained end to end."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from irisrec.models.pair_kernel import ACTIVATIONS
from irisrec.models.products import linear


class FeatureTowers(nn.Module):
    """One tower per modality, optionally joined by the knowledge sharing unit, equations (7) and (8).

    Each modality is projected to a common hidden width (left as it is where it already has it, as the paper's
    768-d text is), then ``x'_m = f(W_m x_m + b_m + W_share Σ_{n≠m} x_n)`` gives the tower's output; for two
    modalities this is the paper's unit with its one matrix used in both directions, and without sharing the last
    term is left out. Whatever an item does not have contributes exactly zero, in the hidden layer and the output.

    Args:
        widths: width F of each modality's vectors, by name.
        hidden: common hidden width (768 in the paper).
        dim: width D of the outputs.
        activation: relu, sigmoid or tanh.
        sharing: whether the knowledge sharing unit joins the towers.
        dropout: share of inputs and hidden units dropped in training.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        hidden: int,
        dim: int,
        activation: str,
        sharing: bool,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.projections = nn.ModuleDict(
            {name: nn.Linear(width, hidden) for name, width in widths.items() if width != hidden}
        )
        self.outputs = nn.ModuleDict({name: nn.Linear(hidden, dim) for name in widths})
        self.share = nn.Linear(hidden, dim, bias=False) if sharing and len(widths) > 1 else None
        self.dropout = nn.Dropout(dropout)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.xavier_uniform_(parameter)

    def forward(self, features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute the towers' outputs.

        Shape:
            features {name: (N, F)}, present {name: (N,) bool} -> {name: (N, D)}
        """
        hidden = {name: self._project(name, features[name]) for name in self.outputs}
        here = {name: present[name][:, None].to(x.dtype) for name, x in hidden.items()}
        # absent rows are zeroed behind the linear maps, which are the narrow side; both maps in one product
        own, given = {}, {}
        for name, x in hidden.items():
            out = self.outputs[name]
            assert isinstance(out, nn.Linear)
            if self.share is None:
                own[name] = linear(x, out.weight) * here[name] + out.bias
                continue
            both = linear(x, torch.cat([out.weight, self.share.weight])) * here[name]
            own[name], given[name] = both[:, : len(out.weight)] + out.bias, both[:, len(out.weight) :]
        return {name: self.activation(self._shared(name, y, given)) * here[name] for name, y in own.items()}

    def _project(self, name: str, values: Tensor) -> Tensor:
        x: Tensor = self.dropout(values)
        if name in self.projections:
            map_ = self.projections[name]
            assert isinstance(map_, nn.Linear)
            x = self.dropout(self.activation(linear(x, map_.weight, map_.bias)))
        return x

    @staticmethod
    def _shared(name: str, own: Tensor, given: Mapping[str, Tensor]) -> Tensor:
        """Add what the other modalities give."""
        for other, y in given.items():
            if other != name:
                own = own + y
        return own
