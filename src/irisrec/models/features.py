"""The frozen vectors inside a model: scaled once, rows of absent items zero, saved apart from the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
            there = values[present]
            mean, spread = there.mean(0), there.std(0, correction=0)
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
    scalers: Mapping[str, FeatureScaler] | None = None,
) -> dict[str, FeatureScaler]:
    """Register each modality's scaled vectors (N, F) and mask (N,) as buffers that are not among the weights.

    Returns the scalers: the given ones, for weights that were trained with them, else those of the vectors.
    """
    used = {}
    for name in modalities:
        values, mask = (features or {})[name], (present or {})[name]
        used[name] = (scalers or {}).get(name) or FeatureScaler.of(values, mask, scaling)
        module.register_buffer(VALUES + name, used[name](values) * mask[:, None], persistent=False)
        module.register_buffer(PRESENT + name, mask, persistent=False)
    return used


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


@contextmanager
def replaced(module: nn.Module, tables: Mapping[str, tuple[Tensor, Tensor]]) -> Iterator[None]:
    """Let a model read other scaled vectors (N, F) and masks (N,), by modality, until the end of the block."""
    new = {
        prefix + name: table
        for name, pair in tables.items()
        for prefix, table in zip((VALUES, PRESENT), pair, strict=True)
    }
    whole = {name: module.get_buffer(name) for name in new}
    try:
        module._buffers.update(new)
        yield
    finally:
        module._buffers.update(whole)


def masked(module: nn.Module, kept: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return vectors and masks for `replaced` in which only the ``kept`` (N,) items have a modality, by modality."""
    tables = {}
    for name, mask in kept.items():
        present = module.get_buffer(PRESENT + name) & mask
        tables[name] = module.get_buffer(VALUES + name) * present[:, None], present
    return tables
