"""The frozen vectors inside a model: scaled once, rows of absent items zero, saved apart from the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureScaler:
    """Brings a modality's vectors to the scale that the towers' initial weights expect.

    Attributes:
        mean, spread: (F,), subtracted from and divided by; over the items that have the modality.
        unit_length: whether each vector is brought to length 1 first.
    """

    mean: Tensor
    spread: Tensor
    unit_length: bool = False

    @classmethod
    def of(cls, values: Tensor, present: Tensor, kind: str) -> FeatureScaler:
        """Measure the scale of (N, F) values where present (N,)."""
        mean, spread = values.new_zeros(values.shape[1]), values.new_ones(values.shape[1])
        if kind == "standard" and bool(present.any()):
            mean = values[present].mean(0)
            spread = values[present].std(0, correction=0)
            spread = torch.where(
                spread > 1e-6 * spread.max(), spread, 1.0
            )  # a constant dimension stays constant
        return cls(mean, spread, kind == "l2")

    def __call__(self, values: Tensor) -> Tensor:
        """Scale (n, F) vectors."""
        if self.unit_length:
            return torch.nn.functional.normalize(values, dim=1)
        return (values - self.mean) / self.spread


VALUES, PRESENT = "feature_", "present_"


def hold_features(
    module: nn.Module,
    modalities: tuple[str, ...],
    features: Mapping[str, Tensor] | None,
    present: Mapping[str, Tensor] | None,
    scaling: str,
    n_added: int = 0,
) -> dict[str, FeatureScaler]:
    """Register each modality's scaled vectors (N, F) and mask (N,) as buffers that are not among the weights.

    Returns the scalers, by modality. The last ``n_added`` items were added after training and have no part in them.
    """
    scalers = {}
    for name in modalities:
        values, mask = (features or {})[name], (present or {})[name]
        n_measured = len(values) - n_added
        scalers[name] = FeatureScaler.of(values[:n_measured], mask[:n_measured], scaling)
        scaled = scalers[name](values) * mask[:, None]
        module.register_buffer(VALUES + name, scaled, persistent=False)
        module.register_buffer(PRESENT + name, mask, persistent=False)
    return scalers


def held_features(module: nn.Module, modalities: tuple[str, ...]) -> dict[str, Tensor]:
    """Return the scaled vectors (N, F) of each modality."""
    return {name: module.get_buffer(VALUES + name) for name in modalities}


def held_masks(module: nn.Module, modalities: tuple[str, ...]) -> dict[str, Tensor]:
    """Return which items have each modality, (N,) bool."""
    return {name: module.get_buffer(PRESENT + name) for name in modalities}


def held_modalities(module: nn.Module) -> tuple[str, ...]:
    """Return the modalities whose vectors a model holds, and can therefore be without."""
    names = {name for name, _ in module.named_buffers()}
    found = (name.removeprefix(VALUES) for name in names if name.startswith(VALUES))
    return tuple(sorted(name for name in found if PRESENT + name in names))
