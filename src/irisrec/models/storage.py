"""Saved models: weights and vectors in safetensors, everything else in JSON; no pickle, no data set needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from irisrec.errors import RunError
from irisrec.files import atomic_path, read_json, write_json
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.features import FeatureScaler
from irisrec.sums import check_seal, seal

FORMAT = 1
MODEL, WEIGHTS, FEATURES = "model.json", "model.safetensors", "features.safetensors"


def save_features(
    folder: Path,
    features: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    scalers: Mapping[str, FeatureScaler] | None = None,
) -> None:
    """Write each modality's vectors (N, F) as the encoder made them, and its present mask (N,).

    ``scalers`` are written where they are not those of the vectors themselves: the model was trained with others.
    """
    tensors = {f"values/{name}": values.contiguous() for name, values in features.items()}
    tensors |= {f"present/{name}": mask.contiguous() for name, mask in present.items()}
    for name, scaler in (scalers or {}).items():
        tensors |= {f"mean/{name}": scaler.mean, f"spread/{name}": scaler.spread}
    with atomic_path(folder / FEATURES) as temporary:
        save_file(tensors, temporary)
    seal(folder / FEATURES)


def load_features(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read what `save_features` wrote."""
    tensors = _read_tensors(folder / FEATURES)
    return _named("values/", tensors), _named("present/", tensors)


def _scalers(tensors: Mapping[str, Tensor], scaling: str) -> dict[str, FeatureScaler]:
    """Return the scalers that `save_features` was given; none where the vectors have their own."""
    means, spreads = _named("mean/", tensors), _named("spread/", tensors)
    return {name: FeatureScaler(mean, spreads[name], scaling == "l2") for name, mean in means.items()}


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def save_model(folder: Path, model: Scorer, config: ModelConfig) -> None:
    """Write weights and description; the description last, so that a folder with it is complete."""
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file({name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}, temporary)
    facts = {
        "n_items": model.n_items,
        "n_users": model.n_users,
        "n_added": model.n_added,
        "is_probabilistic": model.is_probabilistic,
    }
    write_json(folder / MODEL, {"format": FORMAT, **facts, "config": config.model_dump(mode="json")})
    seal(folder / WEIGHTS, folder / MODEL)


def load_model(folder: Path, *, mapped: bool = False) -> tuple[Scorer, ModelConfig]:
    """Rebuild a saved model in evaluation mode.

    ``mapped`` weights are read from the file when they are needed, which saves a copy, and the file must then stay as
    it is for as long as the model lives; one that is replaced by another of its name does.
    """
    path = folder / MODEL
    if not path.exists():
        raise RunError(
            f"{folder} holds no finished model ({MODEL} is missing); finish it with `irisrec train --resume`"
        )
    check_seal(path)
    try:
        description = read_json(path)
        if description["format"] != FORMAT:
            raise RunError(
                f"{path} has format {description['format']}, this version reads {FORMAT}; update irisrec"
            )
        config = ModelConfig.read(description["config"], "model")
        n_items, n_users = int(description["n_items"]), int(description.get("n_users", 0))
        n_added = int(description.get("n_added", 0))
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not a model description ({error})") from None
    vectors = _read_tensors(folder / FEATURES) if config.uses_features else {}
    features, present = _named("values/", vectors), _named("present/", vectors)
    wrong = {name: len(values) for name, values in features.items() if len(values) != n_items}
    if wrong:
        raise RunError(f"{folder / FEATURES} has vectors for {wrong} items, the model knows {n_items}")
    scalers = _scalers(vectors, config.feature_scaling) if config.uses_features else None
    model = build_model(config, n_items, features, present, n_users=n_users, scalers=scalers)
    weights = _read_tensors(folder / WEIGHTS)
    if "trained" in model.state_dict():  # where a model does not say, all of its items count as trained
        weights.setdefault("trained", torch.ones(n_items, dtype=torch.bool))
    try:
        model.load_state_dict(weights, assign=mapped)
    except RuntimeError as error:
        raise RunError(
            f"{folder / WEIGHTS} does not fit {path}: {str(error).splitlines()[-1].strip()}"
        ) from None
    bad = [name for name, tensor in weights.items() if not _is_finite(tensor)]
    if bad:
        raise RunError(f"{folder / WEIGHTS} holds weights that are not finite: {', '.join(bad[:3])}")
    model.is_probabilistic = bool(description.get("is_probabilistic", model.is_probabilistic))
    model.n_added = n_added
    model.eval()
    return model, config


def _is_finite(tensor: Tensor) -> bool:
    """Whether no entry is infinite or NaN; a sum is that only if an entry is, or if it overflows, and quicker."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _read_tensors(path: Path) -> dict[str, Tensor]:
    check_seal(path)
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read ({error})") from None
    return tensors
