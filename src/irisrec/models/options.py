"""Which models there are, which options each of them reads, and the defaults that differ between them."""

from __future__ import annotations

from typing import Any, Literal, get_args

ModelName = Literal[
    "popularity",
    "random",
    "item-knn",
    "content-knn",
    "ease",
    "slim",
    "ials",
    "bpr-mf",
    "vbpr",
    "gmf",
    "mlp",
    "neumf",
    "lightgcn",
    "freedom",
    "fism",
    "nais",
    "iris",
    "image-iris",
    "text-iris",
    "add-iris",
    "image-add-text-iris",
    "multimodal-iris",
]
MODEL_NAMES: tuple[str, ...] = get_args(ModelName)

_GMF = ("dim", "item_bias", "init_std")
_FISM = ("dim", "alpha", "item_bias", "init_std", "ridge")
_NAIS = (*_FISM, "beta", "activation", "attention_dim")
_IRIS = (
    *_NAIS,
    "modalities",
    "hidden",
    "content_factors",
    "id_dropout",
    "dropout",
    "feature_scaling",
    "ridge_content",
    "ridge_map",
    "ridge_new",
)

OPTIONS: dict[str, tuple[str, ...]] = {
    "popularity": (),
    "random": (),
    "item-knn": ("n_neighbors", "shrinkage"),
    "content-knn": ("n_neighbors", "modalities", "feature_scaling"),
    "ease": ("regularization",),
    "slim": ("regularization", "sparsity", "iterations"),
    "ials": ("dim", "regularization", "confidence", "iterations"),
    "bpr-mf": ("dim", "regularization", "step_size", "iterations"),
    "vbpr": ("dim", "item_bias", "init_std", "modalities", "feature_scaling"),
    "gmf": _GMF,
    "mlp": (*_GMF, "n_layers"),
    "neumf": (*_GMF, "n_layers", "pretrain"),
    "lightgcn": ("dim", "n_layers", "init_std"),
    "freedom": (
        "dim",
        "n_layers",
        "init_std",
        "modalities",
        "feature_scaling",
        "n_neighbors",
        "item_layers",
        "graph_weights",
        "edge_dropout",
        "content_loss",
    ),
    "fism": _FISM,
    "nais": (*_NAIS, "attention"),
    "iris": _IRIS,
    "image-iris": _IRIS,
    "text-iris": _IRIS,
    "add-iris": _IRIS,
    "image-add-text-iris": _IRIS,
    "multimodal-iris": _IRIS,
}

# What an option is where nothing is said, if that differs between models.
DEFAULTS: dict[str, dict[str, Any]] = {
    "item-knn": {"n_neighbors": 100, "shrinkage": 10.0},
    "content-knn": {"n_neighbors": 100},
    "ease": {"regularization": 500.0},
    "slim": {"regularization": 500.0, "sparsity": 5.0, "iterations": 50},
    "ials": {"regularization": 30.0, "confidence": 5.0, "iterations": 15},
    "bpr-mf": {"regularization": 0.01, "step_size": 0.05, "iterations": 100},
    "mlp": {"dim": 16},  # the layers below are two and four times as wide, for every pair
    "neumf": {"dim": 16},
    "lightgcn": {"init_std": 0.1},
    "freedom": {"init_std": 0.1, "n_layers": 2, "n_neighbors": 10},
}

FIXED_MODALITIES = {
    "image-iris": ("image",),
    "text-iris": ("text",),
    "image-add-text-iris": ("image", "text"),
}
ONE_MODALITY = {"iris": "use 'add-iris' or 'multimodal-iris'", "content-knn": "train one model for each"}

# Trained by the same loop as the paper's models, but what they learn is a user, not what a history item is worth.
LEARN_USERS = frozenset({"vbpr", "gmf", "mlp", "neumf", "lightgcn", "freedom"})


def unused(name: str, options: dict[str, Any]) -> list[str]:
    """Return those options, in their order, that a known model does not read."""
    return [option for option in options if option != "name" and option not in OPTIONS[name]]
