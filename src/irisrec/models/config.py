"""ModelConfig: section ``[model]`` of a config."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, model_validator

from irisrec.errors import ConfigError
from irisrec.settings import Settings

ModelName = Literal[
    "popularity",
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
_FIXED_MODALITIES = {
    "image-iris": ("image",),
    "text-iris": ("text",),
    "image-add-text-iris": ("image", "text"),
}
_WITHOUT_FEATURES = ("popularity", "fism", "nais")


class ModelConfig(Settings):
    """Which model, and its hyper-parameters; the defaults are the paper's.

    Attributes:
        name: ``popularity``; ``fism`` (equation 2); ``nais`` (3); ``iris``, one modality (4, 5), with the paper's
            ``image-iris`` and the like ``text-iris``; ``add-iris``, towers side by side (6), with the paper's
            ``image-add-text-iris``; ``multimodal-iris``, towers joined by the knowledge sharing unit (7, 8).
        modalities: which of the configured features the model reads; all where not given.
        dim: width D of the latent factors, the towers' outputs and the attention.
        hidden: width of the towers' hidden layer.
        attention_dim: width of the attention's hidden layer; ``dim`` where not given.
        alpha: exponent of the history length.
        beta: exponent of the softmax denominator.
        activation: of towers and attention.
        attention: what NAIS' attention reads, the concatenated or the multiplied latent factors.
        item_bias: whether candidates have a bias b_j.
        init_std: standard deviation of the latent factors before training.
        dropout: share of tower inputs and hidden units dropped in training.
        feature_scaling: ``standard`` gives every dimension of a modality mean 0 and variance 1 over the items that
            have it, ``l2`` every vector length 1, ``none`` leaves vectors as the encoder made them.
    """

    name: ModelName = "multimodal-iris"
    modalities: tuple[str, ...] | None = None
    dim: int = Field(default=64, ge=1)
    hidden: int = Field(default=768, ge=1)
    attention_dim: int | None = Field(default=None, ge=1)
    alpha: float = Field(default=0.0, ge=0, le=2)
    beta: float = Field(default=0.8, gt=0, le=1)
    activation: Literal["relu", "sigmoid", "tanh"] = "relu"
    attention: Literal["concat", "product"] = "concat"
    item_bias: bool = True
    init_std: float = Field(default=0.01, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    feature_scaling: Literal["standard", "l2", "none"] = "standard"

    @model_validator(mode="after")
    def _check(self) -> ModelConfig:
        fixed = _FIXED_MODALITIES.get(self.name)
        if fixed and self.modalities and set(self.modalities) != set(fixed):
            general = "iris" if len(fixed) == 1 else "add-iris"
            raise ValueError(
                f"{self.name} reads {' and '.join(fixed)}, got modalities {', '.join(self.modalities)}; "
                f"use name = '{general}' for others"
            )
        if self.name == "iris" and self.modalities and len(self.modalities) > 1:
            raise ValueError(
                f"iris reads one modality, got {', '.join(self.modalities)}; use 'add-iris' or 'multimodal-iris'"
            )
        return self

    @property
    def uses_features(self) -> bool:
        """Whether the model reads content at all."""
        return self.name not in _WITHOUT_FEATURES

    def modalities_of(self, available: tuple[str, ...]) -> tuple[str, ...]:
        """Return the modalities that the model reads, out of those that have features."""
        if not self.uses_features:
            return ()
        wanted = self.modalities or _FIXED_MODALITIES.get(self.name) or available
        missing = [name for name in wanted if name not in available]
        if missing or not wanted:
            raise ConfigError(
                f"model {self.name} needs features for {' and '.join(missing) or 'at least one modality'}, "
                f"there are {', '.join(available) or 'none'}; add a section [features.{(missing or ['image'])[0]}]"
            )
        if self.name == "iris" and len(wanted) > 1:
            raise ConfigError(
                f"iris reads one modality, there are {', '.join(wanted)}; "
                "choose with model.modalities, or use 'add-iris' or 'multimodal-iris'"
            )
        return tuple(wanted)
