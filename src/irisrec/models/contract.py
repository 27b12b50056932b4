"""What every model offers, whatever it is inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from irisrec.models.histories import Histories


class Scorer(nn.Module, ABC):
    """Scores candidates for users, who are given as histories of item rows.

    Attributes:
        n_items: number of items; candidates and histories are rows below it.
        is_probabilistic: whether ``sigmoid(score)`` is the estimated probability of an interaction.
        has_reasons: whether ``reasons`` gives exact contributions of history items.
        needs_gradient_training: whether the training loop has to fit it.
        knows_users_only: whether it can score only users it was trained with, because it learns something per user.
    """

    is_probabilistic: ClassVar[bool] = False
    has_reasons: ClassVar[bool] = False
    needs_gradient_training: ClassVar[bool] = False
    knows_users_only: ClassVar[bool] = False

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.n_items = n_items

    @abstractmethod
    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) scores; ``candidates`` (C,) are ascending item rows, None means all items in order."""

    @torch.no_grad()
    def rank_scores(self, histories: Histories, batch: int = 1024) -> Iterator[Tensor]:
        """Yield (b, N) scores of all items for successive parts of the histories, in evaluation mode."""
        training = self.training
        self.eval()
        try:
            for start in range(0, len(histories), batch):
                yield self.score(histories.part(start, min(start + batch, len(histories))))
        finally:
            self.train(training)
