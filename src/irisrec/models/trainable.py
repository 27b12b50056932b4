"""Trainable: what the training loop asks of a model that is fitted by gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from irisrec.errors import ModelError, some
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


TABLES_OF_A_LOSS = 10  # (B, C) tables alive at once in a step: scores, positives, weights, and the loss's own
Rows = tuple[Tensor, Tensor]


class Scored(NamedTuple):
    """A part of the loss of a step.

    Attributes:
        weight: of the loss of these scores.
        scores: (B, C), of all items or of the candidates that were asked for.
        items: (C,) bool, those that the scores are about, as positives and as negatives; all where not given.
    """

    weight: float
    scores: Tensor
    items: Tensor | None = None


class Trainable(Scorer):
    """A scorer that the training loop fits.

    Attributes:
        reads_histories: whether its scores come from the items of a history, some of which training may hide; else
            from the user the history belongs to.
        sparse_gradients: whether `row_parameters` get sparse gradients.
        bias: b_j (N,), the candidates' biases, which training may start at their best; None where there are none.
        takes_parts: whether the loss of a step is the sum of the losses of parts of its candidates.
        per_item, per_user: names of the weights with one row for each item or user, ``*`` standing for any letters.
    """

    needs_gradient_training: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = True
    per_item: ClassVar[tuple[str, ...]] = ()
    per_user: ClassVar[tuple[str, ...]] = ()

    def __init__(self, n_items: int, n_users: int = 0) -> None:
        super().__init__(n_items, n_users)
        self.sparse_gradients = False
        self.bias: nn.Parameter | None = None

    def pretraining(self) -> Mapping[str, Trainable]:
        """Return models to fit before this one, by name; they may hold parts of it."""
        return {}

    def after_pretraining(self, fitted: Mapping[str, Trainable]) -> None:
        """Begin from the models of `pretraining`, which are fitted now."""

    def begin_training(self, train: csr_matrix, new: NDArray[np.bool_] | None = None) -> None:
        """Take from the (n_users, N) interactions what is known before any gradient, such as their graph.

        ``new`` (N,) are the items that nobody could have had; None means those that nobody had.
        """

    @property
    def new_are_negatives(self) -> bool:
        """Whether items that nobody could have had are among the negatives: ids must learn to rank them low."""
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

    def training_scores(
        self, known: Histories, had: Histories, candidates: Tensor | None = None
    ) -> Iterator[Scored]:
        """Yield (B, C) scores with their weights; the loss of a step is the weighted sum of the losses of the scores.

        The users are known by a part of what they ``had``; that whole is their rows of the training matrix.
        ``candidates`` as of `score`.
        """
        yield Scored(1.0, self.score(known, candidates))

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

    @torch.no_grad()
    def take_over(self, learned: Mapping[str, Tensor], items: Rows, users: Rows) -> None:
        """Begin with weights of the same model that was trained before, on fewer items or users.

        Args:
            learned: its weights by name.
            items: which item rows of mine (n,) are which of its (n,); all others stay as they are.
            users: the same of users.

        Raises:
            ModelError: weights of another model.
        """
        named = dict(self.named_parameters())
        if named.keys() != learned.keys():
            raise ModelError(
                f"the learned weights are of another model: {some(sorted(named.keys() ^ learned.keys()))} "
                f"{'is' if len(named.keys() ^ learned.keys()) == 1 else 'are'} not in both"
            )
        for name, weight in named.items():
            mine, its = self._rows_of(name, items, users)
            old = learned[name].to(weight.device)
            if weight.shape[1:] != old.shape[1:] or (mine is None and weight.shape != old.shape):
                raise ModelError(
                    f"the learned {name} has shape {tuple(old.shape)}, not {tuple(weight.shape)}"
                )
            if mine is None or its is None:
                weight.copy_(old)
            else:
                weight[mine.to(weight.device)] = old[its.to(weight.device)]

    def _rows_of(self, name: str, items: Rows, users: Rows) -> Rows | tuple[None, None]:
        for patterns, rows in ((self.per_item, items), (self.per_user, users)):
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return rows
        return None, None

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """Return the weights by the penalties of equation (12): embeddings, attention, towers, share."""
        return {}

    @property
    def rounds_products(self) -> bool:
        """Whether it has products whose inputs training may round to bfloat16."""
        return False

    @property
    def pair_activations(self) -> float:
        """How many hidden units of a pair kernel one training step computes; 0 without such a kernel."""
        return 0.0
