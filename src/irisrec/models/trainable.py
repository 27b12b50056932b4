"""Trainable: what the training loop asks of a model that is fitted by gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Trainable(Scorer):
    """A scorer that the training loop fits.

    Attributes:
        reads_histories: whether its scores come from the items of a history, some of which training may hide; else
            from the user the history belongs to.
        bias: b_j (N,), the candidates' biases, which training may start at their best; None where there are none.
    """

    needs_gradient_training: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = True

    def __init__(self, n_items: int, n_users: int = 0) -> None:
        super().__init__(n_items, n_users)
        self.bias: nn.Parameter | None = None

    def pretraining(self) -> Mapping[str, Trainable]:
        """Return models to fit before this one, by name; they may hold parts of it."""
        return {}

    def after_pretraining(self, fitted: Mapping[str, Trainable]) -> None:
        """Begin from the models of `pretraining`, which are fitted now."""

    def begin_training(self, train: csr_matrix) -> None:
        """Take from the (n_users, N) interactions what is known before any gradient, such as their graph."""

    @property
    def unseen_are_negatives(self) -> bool:
        """Whether items without training interactions are among the negatives: ids must learn to rank them low."""
        return True

    @torch.no_grad()
    def start_bias(self, bias: Tensor) -> None:
        """Begin with the candidates' biases b_j (N,)."""
        assert self.bias is not None
        self.bias.copy_(bias)

    def begin_epoch(self, epoch: int) -> None:
        """Draw what stays the same for a whole epoch; all randomness comes from torch's seeded generator."""

    def end_epoch(self) -> None:
        """Bring up to date what scoring in evaluation mode reads and what the saved weights must hold."""

    def training_scores(self, known: Histories, had: Histories) -> Iterator[tuple[float, Tensor]]:
        """Yield weights and (B, N) scores; the loss of a step is the weighted sum of the losses of the scores.

        The users are known by a part of what they ``had``; that whole is their rows of the training matrix.
        """
        yield 1.0, self.score(known)

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """Return the weights by the penalties of equation (12): embeddings, attention, towers, share."""
        return {}

    @property
    def pair_activations(self) -> float:
        """How many hidden units of a pair kernel one training step computes; 0 without such a kernel."""
        return 0.0
