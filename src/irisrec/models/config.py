"""ModelConfig: section ``[model]`` of a config."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from irisrec.errors import ConfigError
from irisrec.models.options import DEFAULTS, FIXED_MODALITIES, ONE_MODALITY, OPTIONS, ModelName, unused
from irisrec.settings import Settings


class ModelConfig(Settings):
    """Which model, and its hyper-parameters; the defaults of the paper's models are the paper's.

    Every model reads some of the options (`irisrec.models.options.OPTIONS`); one that it would not read is refused
    unless it has its default, and only those it reads are written. Some have a default for each model
    (`irisrec.models.options.DEFAULTS`) and are None for all others.

    Attributes:
        name: ``popularity``; ``random``; ``item-knn``; ``content-knn``, one modality; ``ease``; ``slim``; ``ials``;
            ``bpr-mf``; ``vbpr``; ``gmf``, ``mlp`` and ``neumf``; ``lightgcn``; ``freedom``;
            ``fism`` (equation 2); ``nais`` (3);
            ``iris``, one modality (4, 5), with the paper's ``image-iris`` and the like ``text-iris``; ``add-iris``,
            towers side by side (6), with the paper's ``image-add-text-iris``; ``multimodal-iris``, towers joined by
            the knowledge sharing unit (7, 8).
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
        content_factors: whether content adds to the latent factors (ours, not the paper's), not only to the relevance.
        ridge: λ of a ridge regression of each item on the others, whose weights add to the score (ours, not the
            paper's); None for without.
        ridge_content: weight of each modality's vectors in that regression, by name.
        ridge_map: λ of the regression on content by which items without interactions get weights in it, see
            `irisrec.models.content_regression.ContentRegression`.
        ridge_new: how many times over these weights count for an item without interactions as a candidate: the more,
            the more often it stands in a list, and the more often in the place of an item that is known better.
        id_dropout: with content factors, share of items whose ids are hidden in each training step, so that a map of
            their content learns to stand for them: for items without interactions, and for new ones.
        dropout: share of tower inputs and hidden units dropped in training.
        feature_scaling: ``standard`` gives every dimension of a modality mean 0 and variance 1 over the items that
            have it, ``l2`` every vector length 1, ``none`` leaves vectors as the encoder made them.
        n_neighbors: how many history items can speak for a candidate, its nearest; how many items an item is joined
            to in each modality (FREEDOM).
        shrinkage: added to the denominator of the cosine, against neighbours by few common users.
        regularization: weight of the squared L2 norm in the objective of the classical models.
        sparsity: weight of the L1 norm in SLIM's objective.
        confidence: weight of an interaction in iALS, where every other pair weighs 1.
        step_size: learning rate of BPR-MF.
        n_layers: hidden layers of the perceptron (MLP, NeuMF); steps along the interactions (LightGCN,
            FREEDOM).
        item_layers: steps along FREEDOM's graph of items that are alike in content.
        graph_weights: how much each modality counts in that graph, by name; all the same where not given.
        edge_dropout: share of the interactions that FREEDOM leaves out of its graph in each epoch.
        content_loss: weight of the loss of FREEDOM's scores by content alone.
        pretrain: whether NeuMF begins from a GMF and an MLP that are fitted first.
        iterations: of ADMM (SLIM), sweeps over users and items (iALS), passes over the interactions (BPR-MF).
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
    content_factors: bool = False
    ridge: float | None = Field(default=None, gt=0)
    ridge_content: dict[str, Annotated[float, Field(gt=0)]] = {}  # noqa: RUF012 (frozen settings)
    ridge_map: float = Field(default=10.0, gt=0)
    ridge_new: float = Field(default=2.0, gt=0)
    id_dropout: float = Field(default=0.0, ge=0, lt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    feature_scaling: Literal["standard", "l2", "none"] = "standard"
    n_neighbors: int | None = Field(default=None, ge=1)
    shrinkage: float | None = Field(default=None, ge=0)
    regularization: float | None = Field(default=None, gt=0)
    sparsity: float | None = Field(default=None, ge=0)
    confidence: float | None = Field(default=None, gt=0)
    step_size: float | None = Field(default=None, gt=0)
    iterations: int | None = Field(default=None, ge=1)
    n_layers: int = Field(default=3, ge=1)
    item_layers: int = Field(default=1, ge=1)
    graph_weights: dict[str, Annotated[float, Field(gt=0)]] = {}  # noqa: RUF012 (frozen settings)
    edge_dropout: float = Field(default=0.8, ge=0, lt=1)
    content_loss: float = Field(default=0.001, ge=0)
    pretrain: bool = True

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Fill in the model's own defaults."""
        if not isinstance(values, dict):
            return values
        given = {option: value for option, value in values.items() if value is not None}
        return DEFAULTS.get(str(values.get("name")), {}) | given

    @model_validator(mode="after")
    def _check(self) -> ModelConfig:
        fields = type(self).model_fields
        changed = {o: v for o in fields if (v := getattr(self, o)) != fields[o].default}
        if refused := unused(self.name, changed):
            known = (
                f"its options are {', '.join(OPTIONS[self.name])}" if OPTIONS[self.name] else "it has none"
            )
            raise ValueError(f"{self.name} has no option {' and no option '.join(refused)}; {known}")
        if self.id_dropout and not self.content_factors:
            raise ValueError(
                "id_dropout hides factors that only content_factors = true can replace; set both"
            )
        if self.id_dropout and self.ridge:
            raise ValueError(
                "id_dropout is for models without a ridge regression, beside which new items need no training of their "
                "own; leave one of the two out"
            )
        if self.ridge_content and not self.ridge:
            raise ValueError("ridge_content is a part of the ridge regression; set ridge as well")
        fixed = FIXED_MODALITIES.get(self.name)
        if fixed and self.modalities and set(self.modalities) != set(fixed):
            general = "iris" if len(fixed) == 1 else "add-iris"
            raise ValueError(
                f"{self.name} reads {' and '.join(fixed)}, got modalities {', '.join(self.modalities)}; "
                f"use name = '{general}' for others"
            )
        if self.name in ONE_MODALITY and self.modalities and len(self.modalities) > 1:
            raise ValueError(
                f"{self.name} reads one modality, got {', '.join(self.modalities)}; {ONE_MODALITY[self.name]}"
            )
        return self

    @model_serializer(mode="wrap")
    def _used(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write only what the model reads, for a number that moves nothing misleads."""
        values: dict[str, Any] = serialize(self)
        return {o: value for o, value in values.items() if o == "name" or o in OPTIONS[self.name]}

    @property
    def uses_features(self) -> bool:
        """Whether the model reads content at all."""
        return "modalities" in OPTIONS[self.name]

    def modalities_of(self, available: tuple[str, ...]) -> tuple[str, ...]:
        """Return the modalities that the model reads, out of those that have features."""
        if not self.uses_features:
            return ()
        wanted = self.modalities or FIXED_MODALITIES.get(self.name) or available
        missing = [name for name in wanted if name not in available]
        if missing or not wanted:
            raise ConfigError(
                f"model {self.name} needs features for {' and '.join(missing) or 'at least one modality'}, "
                f"there are {', '.join(available) or 'none'}; add a section [features.{(missing or ['image'])[0]}]"
            )
        if self.name in ONE_MODALITY and len(wanted) > 1:
            raise ConfigError(
                f"{self.name} reads one modality, there are {', '.join(wanted)}; "
                f"choose with model.modalities, or {ONE_MODALITY[self.name]}"
            )
        for option, weights in (("ridge_content", self.ridge_content), ("graph_weights", self.graph_weights)):
            if unread := [name for name in weights if name not in wanted]:
                raise ConfigError(
                    f"model.{option} weighs {', '.join(unread)}, the model reads {', '.join(wanted)}; leave it out"
                )
        return tuple(wanted)
