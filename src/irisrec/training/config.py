"""TrainingConfig: section ``[training]`` of a config."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from irisrec.budget import parse_bytes
from irisrec.errors import ConfigError
from irisrec.settings import Settings

LossName = Literal["log", "squared", "bpr"]


class TrainingConfig(Settings):
    """How a model is fitted: Adam on one of the paper's losses, with the penalties of equation (12).

    Attributes:
        loss: ``log``, equation (10), whose scores are the logits of probabilities; ``squared``, equation (9);
            ``bpr``, equation (11).
        epochs: passes over the users.
        batch_users: users per step; a step costs one block of pairs whatever the number of users.
        learning_rate: of Adam, the highest where the schedule moves it.
        schedule: ``one-cycle`` rises for the first part and falls to zero, ``constant`` does not move.
        weight_decay: decoupled (AdamW), on all weights but biases.
        bias_start: ``fitted`` starts each candidate's bias where the loss of a model without similarities is lowest,
            so that no epoch is spent on learning popularity; ``zero`` is the paper's.
        history_dropout: share of every history that is left out at random in each step; what was left out still
            counts as had, so the model learns to find it from the rest. Not for models that learn a user instead.
        modality_dropout: with it, in each step an item is without a modality that it has, for each of its modalities
            and independently; masked as a missing one is, while ids stay. So the model learns to do without. The
            vectors in a ridge regression, which is fitted before, stay.
        negatives: ``all``, every item a user never had, weighted so that the loss is the exact expectation of the
            paper's with ``n_negatives`` drawn; ``shared``, all items that anybody of the step had and ``n_shared``
            drawn ones, weighted so that the loss has the same expectation; ``sampled``, the paper's draw itself;
            ``auto``, all, or shared where all would take too many pairs of items.
        n_negatives: K, negatives per positive.
        negatives_by: whether every item is as likely to be a negative (``uniform``, the paper's) or in proportion
            to its ``popularity``; probabilities are estimated with the former only.
        n_shared: items drawn for all users of a step together, with ``shared`` negatives.
        l2_embeddings, l2_attention, l2_towers, l2_share: λ1 to λ4 of equation (12).
        clip_norm: gradients with a larger norm are scaled down to it; 0 for never.
        patience: epochs without a better validation NDCG@10 after which training stops; 0 for never.
        keep: weights of which epoch the model gets: of the ``best`` by validation NDCG@10 over all items, or of the
            ``last``, where a schedule that ends at a rate of zero has settled, whatever a noisy metric says.
        validate_every: epochs between validations; the last epoch is always validated.
        seed: of weights, batches, draws and dropout.
        precision: ``bfloat16`` rounds the inputs of products to it, of the towers and of similarities p·q, on a GPU
            those of the sums over long histories too; weights, moments, sums and the loss stay float32, as do judging
            and recommending. ``auto`` rounds where the processor has instructions for it and an epoch was measured to
            be faster.
        fuse: whether what goes over all pairs of items is compiled; ``auto`` where it saves more time than it takes.
        device: ``auto`` takes a GPU where there is one.
        memory_budget: most resident memory of the process in training and judging, such as ``2GB``, that blocks are
            planned for; most of what is free where not given.
    """

    loss: LossName = "log"
    epochs: int = Field(default=30, ge=1)
    batch_users: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=0.01, gt=0)
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    weight_decay: float = Field(default=0.0, ge=0)
    bias_start: Literal["fitted", "zero"] = "fitted"
    history_dropout: float = Field(default=0.0, ge=0, lt=1)
    modality_dropout: float = Field(default=0.0, ge=0, lt=1)
    negatives: Literal["auto", "all", "shared", "sampled"] = "auto"
    n_negatives: int = Field(default=4, ge=1)
    n_shared: int = Field(default=1024, ge=1)
    negatives_by: Literal["uniform", "popularity"] = "uniform"
    l2_embeddings: float = Field(default=0.0, ge=0)
    l2_attention: float = Field(default=0.0, ge=0)
    l2_towers: float = Field(default=0.0, ge=0)
    l2_share: float = Field(default=0.0, ge=0)
    clip_norm: float = Field(default=0.0, ge=0)
    patience: int = Field(default=8, ge=0)
    keep: Literal["best", "last"] = "best"
    validate_every: int = Field(default=1, ge=1)
    seed: int = 0
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    fuse: Literal["auto", "on", "off"] = "auto"
    device: str = "auto"
    memory_budget: int | None = None

    @field_validator("memory_budget", mode="before")
    @classmethod
    def _bytes(cls, value: Any) -> int | None:
        try:
            return None if value is None else parse_bytes(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _ends(self) -> TrainingConfig:
        if self.keep == "last" and self.patience:
            raise ValueError(
                f"patience waits for the best epoch, got patience = {self.patience} and keep = 'last'; set patience = 0"
            )
        return self
