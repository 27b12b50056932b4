"""One training step: which candidates count, and the gradients of its loss, in the memory there is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.budget import at_once, bytes_left
from irisrec.errors import TrainingError
from irisrec.models.histories import Histories
from irisrec.models.trainable import TABLES_OF_A_LOSS, Trainable
from irisrec.progress import say
from irisrec.training.config import TrainingConfig
from irisrec.training.losses import POINTWISE, bpr_loss, bpr_loss_of_pairs
from irisrec.training.negatives import (
    Draws,
    counts,
    counts_among,
    draw,
    draw_shared,
    expected_counts,
    expected_counts_of_some,
    pairs_among,
)

Loss = Callable[[Tensor, Tensor | None], Tensor]  # of (B, C) scores of some items (C,), all if None
_MANY = 1e11  # operations on pairs in an epoch from which candidates are shared: a minute or two on two cores
_MOST_DRAWN = 0.7  # share of all items from which on a step with drawn negatives takes all of them
_FEW_COLUMNS = 16  # a step in smaller pieces would take forever


class _Part(NamedTuple):
    """Some users of a step and some of their candidates, all if None, with what the loss of their scores is."""

    known: Histories
    had: Histories
    candidates: Tensor | None
    loss: Loss


class Step:
    """Computes the gradients of training steps.

    Args:
        model: whose weights get the gradients.
        train: (n_users, N), what each user had.
        config: how to train.
        chances: (N,) of being drawn as a negative.
    """

    def __init__(self, model: Trainable, train: csr_matrix, config: TrainingConfig, chances: Tensor) -> None:
        self.model, self.config, self.chances = model, config, chances
        self._rows_of = partial(expected_rows, train)
        self.n_rows = self._rows_of(config.batch_users)
        self.negatives = self._chosen(train)
        self.has_few_rows = (
            self.negatives == "shared" and 4 * (self.n_rows + config.n_shared) < train.shape[1]
        )
        self.users_at_once = self._group_size(train)
        self.columns_at_once = 0  # not planned yet

    @property
    def share_of_pairs(self) -> float:
        """Which share of all pairs of items a step computes."""
        n_groups = self.config.batch_users / self.users_at_once
        return n_groups * self._n_rows_at_once * self._n_columns / self.model.n_items**2

    @property
    def _n_rows_at_once(self) -> int:
        """About how many distinct items the users had that are computed together."""
        return self._rows_of(self.users_at_once)

    @property
    def _n_columns(self) -> int:
        """About how many candidates they have."""
        if self.negatives != "shared":
            return self.model.n_items
        return min(self.model.n_items, self._n_rows_at_once + self.config.n_shared)

    def backward(self, known: Histories, had: Histories, generator: torch.Generator) -> tuple[float, int]:
        """Add the gradients of a step's mean loss; return it with the number of samples it is the mean of.

        Users are scored by what is ``known`` of what they ``had``.
        """
        per_positive = self.config.n_negatives + (self.config.loss != "bpr")  # pairs, or samples
        n_samples = len(had.items) * per_positive
        total = 0.0
        for part in self._parts(known, had, generator):
            found = self.model.training_scores(part.known, part.had, part.candidates)
            losses = [scored.weight * part.loss(scored.scores, scored.items) for scored in found]
            mean = torch.stack(losses).sum() / n_samples
            mean.backward()  # type: ignore[no-untyped-call]
            total += float(mean.detach())
        return total, n_samples

    def _parts(self, known: Histories, had: Histories, generator: torch.Generator) -> Iterator[_Part]:
        """Yield parts of a step whose losses add up to its own."""
        n_items, step = self.model.n_items, self.columns_at_once
        if self.negatives == "shared":
            yield from self._shared_parts(known, had, generator)
        elif self.negatives == "sampled":
            yield self._sampled_part(known, had, generator)
        elif not step or step >= n_items:
            yield _Part(known, had, None, self._loss_of_all(had))
        else:
            with self.model.shared_pass(None):
                for columns in torch.split(torch.arange(n_items, device=had.items.device), step):
                    yield _Part(known, had, columns, self._loss_of_some(had, columns, None))

    def _shared_parts(self, known: Histories, had: Histories, generator: torch.Generator) -> Iterator[_Part]:
        """Yield groups of users, who have the drawn candidates in common and beside them what one of them had."""
        drawn = draw_shared(self.config.n_shared, self.chances, generator)
        with self.model.shared_pass(torch.unique(torch.cat([had.items, drawn.columns]))):
            for start in range(0, len(had), self.users_at_once):
                stop = min(start + self.users_at_once, len(had))
                group = had.part(start, stop)
                their_known = group if known is had else known.part(start, stop)
                candidates = drawn.joined(group)
                step = self.columns_at_once or len(candidates.columns)
                pieces = zip(*(torch.split(values, step) for values in candidates), strict=True)
                for columns, stands_for in pieces:
                    loss = self._loss_of_some(group, columns, stands_for)
                    yield _Part(their_known, group, columns, loss)

    def _loss_of_some(self, had: Histories, columns: Tensor, stands_for: Tensor | None) -> Loss:
        positive = had.membership(columns, len(columns))
        weights = expected_counts_of_some(had, columns, self.config.n_negatives, self.chances, stands_for)
        loss = POINTWISE.get(self.config.loss, bpr_loss)
        return lambda scores, items: loss(scores, *counts_among(positive, weights, items))

    def _loss_of_all(self, had: Histories) -> Loss:
        positive = had.membership(None, self.model.n_items)
        weights = expected_counts(positive, self.config.n_negatives, self.chances)
        loss = POINTWISE.get(self.config.loss, bpr_loss)
        return lambda scores, items: loss(scores, *counts_among(positive, weights, items))

    def _sampled_part(self, known: Histories, had: Histories, generator: torch.Generator) -> _Part:
        """Draw the negatives of a step; its candidates are what anybody had or was drawn, all where that is most."""
        config, n_items = self.config, self.model.n_items
        positive = had.membership(None, n_items)
        drawn = draw(positive, config.n_negatives, self.chances, generator)
        candidates = torch.unique(torch.cat([had.items, drawn.columns]))
        if len(candidates) > _MOST_DRAWN * n_items:
            candidates = None
        else:
            positive = positive[:, candidates]
            drawn = Draws(drawn.rows, torch.searchsorted(candidates, drawn.columns))
        return _Part(known, had, candidates, self._loss_of_drawn(positive, drawn))

    def _loss_of_drawn(self, positive: Tensor, drawn: Draws) -> Loss:
        config = self.config
        if config.loss == "bpr":
            pairs = _paired(positive, drawn, config.n_negatives)
            return lambda scores, items: bpr_loss_of_pairs(scores, *pairs_among(pairs, drawn.columns, items))
        weights, loss = counts(drawn, positive), POINTWISE[config.loss]
        return lambda scores, items: loss(scores, *counts_among(positive, weights, items))

    def _chosen(self, train: csr_matrix) -> Literal["all", "shared", "sampled"]:
        config, n_items = self.config, train.shape[1]
        if config.negatives != "auto":
            return config.negatives
        n_steps = math.ceil(train.shape[0] / config.batch_users)
        width = max(1.0, self.model.pair_activations / n_items**2)
        of_users = 2.0 * train.nnz + TABLES_OF_A_LOSS * train.shape[0]
        operations = n_items * (n_steps * self.n_rows * width + of_users)
        if operations < _MANY or 2 * (self.n_rows + config.n_shared) > n_items:
            return "all"
        say(
            f"negatives: all {n_items:,} items for every user are {operations:.0e} operations per epoch; instead "
            f"{config.n_shared:,} items are drawn for the users of each step, weighted to the same expected loss "
            '(training.negatives = "all" takes all)'
        )
        return "shared"

    def _group_size(self, train: csr_matrix) -> int:
        """Return how many users share candidates: so many that they had about as many items as are drawn.

        A pair kernel computes all their items against all their items, though each needs its own history against its
        own items alone; for fewer users that is less, for too few the drawn candidates are computed too often.
        """
        if self.negatives != "shared" or not self.model.pair_activations:
            return self.config.batch_users
        mean = train.nnz / max(1, np.count_nonzero(np.diff(train.indptr)))
        return max(1, min(self.config.batch_users, int(self.config.n_shared / mean)))

    def plan(self, reserve: int) -> None:
        """Choose how many candidates are computed at a time, ``reserve`` bytes being needed for something else."""
        n_users, n, n_rows = self.users_at_once, self._n_columns, self._n_rows_at_once
        each = self.model.training_bytes(n_users, n_rows)
        self.columns_at_once = at_once(n, each, reserve=reserve)
        if self.columns_at_once >= n:
            self.columns_at_once = 0
            return
        whole = self.config.loss == "bpr" or self.negatives == "sampled" or not self.model.takes_parts
        if whole or self.columns_at_once < min(_FEW_COLUMNS, n):
            raise TrainingError(
                f"a step of {n_users:,} users needs {each * n / 1e6:,.0f} MB for {n:,} candidates"
                f"{' that cannot be taken apart' if whole else ''}, {(bytes_left() - reserve) / 1e6:,.0f} MB are left; "
                "lower training.batch_users, raise training.memory_budget"
                + (', or set training.negatives = "shared"' if self.negatives != "shared" else "")
            )
        say(f"memory: {self.columns_at_once:,} of {n:,} candidates are computed at a time")


def expected_rows(train: csr_matrix, n_users: int) -> int:
    """Return how many distinct items so many random users had together, on average, and a little more."""
    shares = np.bincount(train.indices, minlength=train.shape[1]) / max(train.shape[0], 1)
    mean = float((1 - (1 - np.minimum(shares, 1.0)) ** n_users).sum())
    return min(int(train.shape[1]), int(1.1 * mean + 3 * math.sqrt(mean)) + 1)


def _paired(positive: Tensor, drawn: Draws, n_negatives: int) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the positive that each drawn negative belongs to."""
    rows, columns = positive.nonzero().unbind(1)
    has_negatives = torch.isin(rows, drawn.rows)
    rows, columns = (x[has_negatives].repeat_interleave(n_negatives) for x in (rows, columns))
    return rows, columns
