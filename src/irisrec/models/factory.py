"""From a config to a model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.popularity import Popularity


def build_model(
    config: ModelConfig,
    n_items: int,
    features: Mapping[str, Tensor] | None = None,
    present: Mapping[str, Tensor] | None = None,
    seed: int = 0,
) -> Scorer:
    """Build the model that the config names, its weights drawn from the seed.

    Shape:
        features {modality: (N, F)}, present {modality: (N,) bool}
    """
    if config.name == "popularity":
        return Popularity(n_items)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ItemSimilarity(config, n_items, features, present)
