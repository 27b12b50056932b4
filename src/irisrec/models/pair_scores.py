"""Scores from pairs of items: without a table of the pairs where the compiled functions serve, else through a block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from irisrec.models.attended import attended_scores
from irisrec.models.histories import Histories, history_sum
from irisrec.models.item_tables import Part
from irisrec.models.pair_block import PairBlock, completed, same_items
from irisrec.models.uniform import uniform_scores


@dataclass(frozen=True)
class PairScores:
    """What gives any histories over R rows their scores of C columns; the pairs are computed each time, or kept.

    Attributes:
        sides: a (R, D), b (C, D), h (D,) of an additive attention with ReLU; None with another relevance.
        factors: p (R, K), q (C, K).
        is_uniform: whether all history items count alike.
        rows, columns: item rows (R,) and (C,), all items if None.
        alpha, beta, bias: as of `PairBlock`.
        additions: gives what a history item adds to a score whatever its relevance, (R, C); None where nothing is.
        make_block: gives the block of the same pairs.
    """

    sides: tuple[Part, Part, Tensor] | None
    factors: tuple[Part, Part]
    is_uniform: bool
    rows: Tensor
    columns: Tensor | None
    alpha: float
    beta: float
    bias: Tensor | None
    additions: Callable[[], Tensor] | None
    make_block: Callable[[], PairBlock]

    def scores(self, histories: Histories, n_others: Tensor | None = None) -> Tensor:
        """Return the (B, C) scores of `PairBlock.scores`."""
        totals = None
        if self.is_uniform:
            p, q = self.factors
            totals = uniform_scores(p.tensor(), q.tensor(), (self.rows, self.columns), histories)
        elif self.sides is not None and "_block" not in self.__dict__:
            totals = attended_scores(
                self.sides, self.factors, (self.rows, self.columns), histories, self.beta
            )
        if totals is None:
            return self._block.scores(histories, n_others)
        added = None if self._added_by_others is None else history_sum(histories, self._added_by_others)
        return completed(totals, n_others, self.alpha, added, self.bias)

    @cached_property
    def _block(self) -> PairBlock:
        return self.make_block()

    @cached_property
    def _added_by_others(self) -> Tensor | None:
        if self.additions is None:
            return None
        added = self.additions()
        return added.index_put(same_items(self.rows, self.columns), added.new_zeros(()))
