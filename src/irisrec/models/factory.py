"""From a config to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from irisrec.models.chance import Chance
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factors import BPRMF, IALS
from irisrec.models.features import FeatureScaler
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.linear import EASE, SLIM
from irisrec.models.ncf import NCF
from irisrec.models.neighbors import ContentKNN, ItemKNN
from irisrec.models.options import OPTIONS
from irisrec.models.popularity import Popularity
from irisrec.models.vbpr import VBPR

_BY_OPTIONS: dict[str, Callable[..., Scorer]] = {
    "popularity": Popularity,
    "item-knn": ItemKNN,
    "ease": EASE,
    "slim": SLIM,
}


def build_model(
    config: ModelConfig,
    n_items: int,
    features: Mapping[str, Tensor] | None = None,
    present: Mapping[str, Tensor] | None = None,
    seed: int = 0,
    n_users: int = 0,
    scalers: Mapping[str, FeatureScaler] | None = None,
) -> Scorer:
    """Build the model that the config names, its weights drawn from the seed.

    Args:
        config: which model.
        n_items: number of items N.
        features: {modality: (N, F)}, vectors as the encoders made them.
        present: {modality: (N,) bool}.
        seed: of whatever is random.
        n_users: number of users; read by models that learn something per user.
        scalers: {modality: what its vectors are scaled by}, for weights that were trained with other vectors; read by
            models that are fitted by gradients.
    """
    name = config.name
    options: dict[str, Any] = {option: getattr(config, option) for option in OPTIONS[name]}
    if name in _BY_OPTIONS:
        return _BY_OPTIONS[name](n_items, **options)
    if name == "random":
        return Chance(n_items, seed)
    if name == "content-knn":
        (modality,) = config.modalities_of(tuple(features or {}))
        values, mask = (features or {})[modality], (present or {})[modality]
        return ContentKNN(modality, values, mask, options["feature_scaling"], options["n_neighbors"])
    if name == "ials":
        return IALS(n_items, **options, seed=seed)
    if name == "bpr-mf":
        return BPRMF(n_items, n_users, **options, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "vbpr":
            return VBPR(config, n_items, n_users, features or {}, present or {}, scalers)
        if name in ("gmf", "mlp", "neumf"):
            return NCF.of(config, n_items, n_users)
        if name == "lightgcn":
            from irisrec.models.lightgcn import LightGCN  # as freedom with all of scipy.sparse, 0.1 s

            return LightGCN(config, n_items, n_users)
        if name == "freedom":
            from irisrec.models.freedom import FREEDOM

            return FREEDOM(config, n_items, n_users, features or {}, present or {}, scalers)
        return ItemSimilarity(config, n_items, features, present, scalers)
