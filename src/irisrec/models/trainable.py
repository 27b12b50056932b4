"""Trainable: what the training loop asks of a model that is fitted by gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


TABLES_OF_A_LOSS = 10  # (B, C) tables alive at once in a step: scores, positives, weights, and the loss's own


class Trainable(Scorer):
    """A scorer that the training loop fits.

    Attributes:
        reads_histories: whether its scores come from the items of a history, some of which training may hide; else
            from the user the history belongs to.
        sparse_gradients: whether `row_parameters` get sparse gradients.
        bias: b_j (N,), the candidates' biases, which training may start at their best; None where there are none.
    """

    needs_gradient_training: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = True

    def __init__(self, n_items: int, n_users: int = 0) -> None:
        super().__init__(n_items, n_users)
        self.sparse_gradients = False
        self.bias: nn.Parameter | None = None

    def pretraining(self) -> Mapping[str, Trainable]:
        """Return models to fit before this one, by name; they may hold parts of it."""
        return {}

    def after_pretraining(self, fitted: Mapping[str, Trainable]) -> None:
        """Begin from the models of `pretraining`, which are fitted now."""

    def begin_training(self, train: csr_matrix) -> None:
        """Take from the (n_users, N) interactions what is known before any gradient, such as their graph."""

    def begin_epoch(self, epoch: int) -> None:
        """Draw what stays the same for a whole epoch; all randomness comes from torch's seeded generator."""

    def end_epoch(self) -> None:
        """Bring up to date what scoring in evaluation mode reads and what the saved weights must hold."""

    def training_scores(
        self, known: Histories, had: Histories, candidates: Tensor | None = None
    ) -> Iterator[tuple[float, Tensor]]:
        """Yield weights and (B, C) scores; the loss of a step is the weighted sum of the losses of the scores.

        The users are known by a part of what they ``had``; that whole is their rows of the training matrix.
        ``candidates`` as of `score`.
        """
        yield 1.0, self.score(known, candidates)

    @contextmanager
    def shared_pass(self, items: Tensor | None) -> Iterator[None]:
        """Inside, backward passes through several blocks of candidates may share what does not depend on the block.

        The shared part has its gradients when the block is left. ``items`` (n,), ascending, are all that is read of,
        None for all items.
        """
        yield

    def row_parameters(self) -> list[nn.Parameter]:
        """Return the tables (N, D) of which a step with few candidates reads few rows, and may get sparse gradients."""
        return []

    def training_bytes(self, n_users: int, n_rows: int) -> int:
        """Return about how many bytes a step holds for each candidate.

        Args:
            n_users: users of the step.
            n_rows: distinct items in their histories.
        """
        return 4 * TABLES_OF_A_LOSS * n_users

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """Return the weights by the penalties of equation (12): embeddings, attention, towers, share."""
        return {}

    @property
    def pair_activations(self) -> float:
        """How many hidden units of a pair kernel one training step computes; 0 without such a kernel."""
        return 0.0
