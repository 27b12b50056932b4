"""A trained model made ready for many requests: what no request changes is computed once."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from irisrec.models.contract import Reasons, Scorer
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.pair_block import PairBlock

PAIR_LIMIT = 1 << 26  # pairs of items that are kept: four tables of 256 MB in float32, 8,192 items


def prepared(model: Scorer, limit: int = PAIR_LIMIT) -> Scorer:
    """Return a scorer of the same scores and reasons, ready for many requests; most models are as they are.

    It keeps the weights of this moment: prepare again when they have changed.

    Args:
        model: trained.
        limit: most pairs of items to keep; above it each request computes those of its history.
    """
    return PreparedItemSimilarity(model, limit) if isinstance(model, ItemSimilarity) else model


class PreparedItemSimilarity(Scorer):
    """An item-similarity model whose towers have run, and whose pairs of items are there if they are few enough.

    With all pairs kept, a user's scores are the same to the bit in any company.
    """

    has_reasons: ClassVar[bool] = True

    @torch.no_grad()
    def __init__(self, model: ItemSimilarity, limit: int = PAIR_LIMIT) -> None:
        super().__init__(model.n_items)
        self.is_probabilistic = model.is_probabilistic
        self.model = model.eval()
        self.tables = model.item_tables(None)
        self.pairs: PairBlock | None = None
        if model.n_items**2 <= limit:
            every = torch.arange(model.n_items, device=self.tables.p.device)
            pairs = model.block_of(self.tables, self.tables, every, None)
            self.pairs = pairs.by_candidate()

    @torch.no_grad()
    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) logits; ``candidates`` (C,) are ascending item rows, None means all items in order."""
        if self.pairs is not None and candidates is None:
            return self.model.score_block(self.pairs, histories, histories, None)
        rows, local = histories.localized()
        return self.model.score_block(self._block(rows, candidates), local, histories, candidates)

    @torch.no_grad()
    def reasons(self, history: Tensor, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Explain the scores of ``candidates`` (C,) for a user with ``history`` (L,), item rows in any order."""
        return self.model.explain_block(self._block(history, candidates), candidates, weights)

    @torch.no_grad()
    def explain(self, histories: Histories, candidates: Tensor) -> Reasons:
        """Explain the scores of each user's own candidates (B, K), in tables (B, L, K)."""
        if self.pairs is None:
            return super().explain(histories, candidates)
        items, weights = histories.padded()
        return self.model.explain_block(self.pairs.gathered(items, candidates), candidates, weights)

    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return their factors q (C, D)."""
        return self.tables.q[candidates]

    @property
    def content_vectors(self) -> dict[str, Tensor]:
        """The scaled vectors (N, F) of each modality, zeros for items that do not have it."""
        return self.model.content_vectors

    def _block(self, rows: Tensor, candidates: Tensor | None) -> PairBlock:
        if self.pairs is not None:
            return self.pairs.picked(rows, candidates)
        columns = self.tables if candidates is None else self.tables.picked(candidates)
        return self.model.block_of(self.tables.picked(rows), columns, rows, candidates)
