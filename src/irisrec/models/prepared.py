"""A trained model made ready for many requests: what no request changes is computed once."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from irisrec.budget import bytes_left
from irisrec.models.contract import ModalityShares, Reasons, Scorer
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import TABLES_TO_SCORE, ItemSimilarity
from irisrec.models.item_tables import ItemTables
from irisrec.models.modality_shares import shares_of
from irisrec.models.pair_block import PairBlock
from irisrec.models.relevance import AdditiveAttention
from irisrec.models.shapley import coalitions

PAIR_LIMIT = 1 << 26  # pairs of items that are kept: four tables of 256 MB in float32, 8,192 items
_ACTIVATIONS_AT_ONCE = (
    1 << 22
)  # of the attention's hidden layer, for the pairs of some users: 16 MB in float32


def prepared(model: Scorer, limit: int = PAIR_LIMIT) -> Scorer:
    """Return a scorer of the same scores and reasons, ready for many requests; most models are as they are.

    It keeps the weights of this moment: prepare again when they have changed.

    Args:
        model: trained.
        limit: most pairs of items to keep, fewer where memory is short; above it each request computes those of its
            history.
    """
    return PreparedItemSimilarity(model, limit) if isinstance(model, ItemSimilarity) else model


class _Sides(NamedTuple):
    """What all items bring to pairs under one mask, (N, D) each: factors, and the two sides of the attention."""

    p: Tensor
    q: Tensor
    a: Tensor
    b: Tensor


class PreparedItemSimilarity(Scorer):
    """An item-similarity model whose towers have run, and whose pairs of items are there if they are few enough.

    With all pairs kept, a user's scores are the same to the bit in any company.
    """

    has_reasons: ClassVar[bool] = True

    @torch.no_grad()
    def __init__(self, model: ItemSimilarity, limit: int = PAIR_LIMIT) -> None:
        super().__init__(model.n_items)
        self.is_probabilistic, self.n_added = model.is_probabilistic, model.n_added
        self.limit = limit
        self.model = model.eval()
        self.tables = model.item_tables(None)
        self.pairs: PairBlock | None = None
        if model.n_items**2 <= min(limit, bytes_left() // (4 * TABLES_TO_SCORE)):
            every = torch.arange(model.n_items, device=self.tables.p.device)
            pairs = model.block_of(self.tables, self.tables, every, None)
            self.pairs = pairs.by_candidate()

    @torch.no_grad()
    def grown(self, model: ItemSimilarity) -> PreparedItemSimilarity:
        """Return the same for the model with items added to it, for which only their pairs are computed."""
        new: PreparedItemSimilarity = PreparedItemSimilarity.__new__(PreparedItemSimilarity)
        Scorer.__init__(new, model.n_items)
        new.is_probabilistic, new.n_added = model.is_probabilistic, model.n_added
        new.limit, new.model = self.limit, model.eval()
        old, added = torch.arange(model.n_items, device=self.tables.p.device).tensor_split([self.n_items])
        fresh = model.item_tables(added)
        new.tables = self.tables.followed_by(fresh)
        new.pairs = None
        if self.pairs is not None and model.n_items**2 <= self.limit:
            new.pairs = self.pairs.bordered(
                right=model.block_of(self.tables, fresh, old, added),
                below=model.block_of(fresh, new.tables, added, None),
            )
        return new

    @torch.no_grad()
    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) logits; ``candidates`` (C,) are ascending item rows, None means all items in order."""
        if self.pairs is not None and candidates is None:
            return self.model.score_block(self.pairs, histories, histories, None)
        if self.pairs is None:
            return self.model.scores_by_blocks(self.tables, histories, candidates)
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
        """Return their factors q (C, D), as the model does."""
        if self.model.adds_by_content(candidates):
            return self.model.candidate_vectors(candidates)
        return self.tables.q[candidates]

    @cached_property
    def content_vectors(self) -> dict[str, Tensor]:
        """The scaled vectors (N, F) of each modality, zeros for items that do not have it."""
        return self.model.content_vectors

    @cached_property
    def content_masks(self) -> dict[str, Tensor]:
        """Which items have each modality, (N,) bool."""
        return self.model.content_masks

    @torch.no_grad()
    def modality_shares(
        self, history: Tensor, candidates: Tensor, weights: Tensor | None = None
    ) -> ModalityShares:
        """Split relevance and contributions of `reasons` among the modalities, by masking them."""
        if not self.model.modalities:
            return super().modality_shares(history, candidates, weights)
        blocks = {
            kept: self._computed(tables, history, candidates, kept) for kept, tables in self._masked.items()
        }
        return shares_of(blocks, weights)

    @torch.no_grad()
    def modality_shares_of(self, histories: Histories, candidates: Tensor) -> ModalityShares:
        """Split the reasons of each user's own candidates (B, K) in tables (B, L, K), all users at once."""
        model = self.model
        one_by_one = not isinstance(model.attention, AdditiveAttention) or not model.modalities
        if one_by_one or model.adds_by_content(torch.cat([histories.items, candidates.flatten()])):
            return super().modality_shares_of(histories, candidates)
        items, weights = histories.padded()
        same = (items[:, :, None] == candidates[:, None, :]).nonzero(as_tuple=True)
        blocks = {kept: self._gathered(side, items, candidates, same) for kept, side in self._sides.items()}
        return shares_of(blocks, weights)

    def _gathered(
        self, side: _Sides, items: Tensor, candidates: Tensor, same: tuple[Tensor, ...]
    ) -> PairBlock:
        """Compute the pairs of history items (B, L) and candidates (B, K) of B users: a block (B, L, K)."""
        attention = self.model.attention
        assert isinstance(attention, AdditiveAttention)
        width = items.shape[1] * candidates.shape[1] * side.a.shape[1]
        at_once = max(1, _ACTIVATIONS_AT_ONCE // max(width, 1))
        logits = [
            attention.of_sides(
                side.a[items[start : start + at_once]][:, :, None],
                side.b[candidates[start : start + at_once]][:, None],
            )
            for start in range(0, len(items), at_once)
        ]
        config = self.model.config
        return PairBlock(
            torch.cat(logits),
            torch.bmm(side.p[items], side.q[candidates].transpose(1, 2)),
            same,
            config.alpha,
            config.beta,
            None if self.model.ridge is None else self.model.ridge.of_pairs(items, candidates),
        )

    @torch.no_grad()
    def scores_without(
        self, history: Tensor, candidates: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return (L, C) scores for a user without each item of the history (L,) in turn."""
        return self._block(history, candidates).scores_without_each(weights)

    @cached_property
    def _masked(self) -> dict[frozenset[str], ItemTables]:
        """Factors and towers of all items with some of their modalities; computed when first asked for."""
        return {kept: self.model.item_tables(None, kept) for kept in coalitions(self.model.modalities)}

    @cached_property
    def _sides(self) -> dict[frozenset[str], _Sides]:
        attention = self.model.attention
        assert isinstance(attention, AdditiveAttention)
        with torch.no_grad():
            return {
                kept: _Sides(tables.p, tables.q, *attention.sides(tables.outputs, tables.outputs))
                for kept, tables in self._masked.items()
            }

    def _block(self, rows: Tensor, candidates: Tensor | None) -> PairBlock:
        if self.pairs is not None:
            return self.pairs.picked(rows, candidates)
        return self._computed(self.tables, rows, candidates)

    def _computed(
        self,
        tables: ItemTables,
        rows: Tensor,
        candidates: Tensor | None,
        kept: Collection[str] | None = None,
    ) -> PairBlock:
        columns = tables if candidates is None else tables.picked(candidates)
        return self.model.block_of(tables.picked(rows), columns, rows, candidates, kept)
