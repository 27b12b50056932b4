r"""The one scorer: every user against every candidate from a block of item pairs.

Relevance and similarity depend on the pair (history item i, candidate j) only, never on the user. So a block of
history rows R and candidate columns C is computed once, and two sums over each user's history turn it into scores:

    score_uj = b_j + |H\j|^-α · Σ_i E_ij S_ij / (Σ_i E_ij)^β,     E_ij = exp g_ij,  S_ij = p_i·q_j

A candidate is never part of its own history. The pair (j, j) therefore takes part in no sum of any user, and it is
enough to set its E to zero in the block: no subtraction afterwards, hence no cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from irisrec.models.histories import Histories, history_sum


@dataclass(frozen=True)
class PairBlock:
    """All pairs of R history rows and C candidate columns.

    Attributes:
        logits: g (R, C), unnormalised log relevance; None where all history items count alike (FISM).
        similarity: S = p_i·q_j (R, C).
        same: two (n,) index tensors, the places in the block where row and column are the same item.
        alpha: exponent of the history length, equation (2).
        beta: exponent of the softmax denominator, equations (3) and (5); not used without logits.
    """

    logits: Tensor | None
    similarity: Tensor
    same: tuple[Tensor, Tensor]
    alpha: float
    beta: float

    def scores(self, histories: Histories, n_others: Tensor | None = None) -> Tensor:
        """Return (B, C) scores without the candidates' bias; 0 for a history without any other item.

        Args:
            histories: B histories over the block's rows.
            n_others: (B, C) number of history items other than the candidate; needed where alpha is not 0.
        """
        if self.logits is None:
            totals = history_sum(histories, self._without_same(self.similarity, 0.0))
        else:
            totals = self._attended(histories)
        return totals if n_others is None else totals * _length_factor(n_others, self.alpha)

    def relevance(self) -> Tensor:
        """Return a_ij (R, C) with all R rows as the one history; the candidate itself has relevance 0."""
        if self.logits is None:
            return self._without_same(torch.ones_like(self.similarity), 0.0)
        return _smoothed_softmax(self._without_same(self.logits, -torch.inf), self.beta)

    def contributions(self) -> Tensor:
        """Return c_ij (R, C) with all R rows as the one history; a column sums to its score without the bias."""
        n_others = self.similarity.new_full((self.similarity.shape[1],), len(self.similarity))  # (C,)
        n_others[self.same[1]] -= 1
        relevance = self.relevance()
        similarity = torch.where(relevance > 0, self.similarity, 0.0)
        return relevance * similarity * _length_factor(n_others, self.alpha)

    def _attended(self, histories: Histories) -> Tensor:
        logits = self._without_same(self.logits, -torch.inf)
        if not len(logits):
            return logits.new_zeros(len(histories), logits.shape[1])
        highest = logits.detach().amax(0)  # (C,)
        highest = torch.where(highest.isfinite(), highest, 0.0)
        lowest = self._without_same(logits.detach(), torch.inf).amin(0)
        if bool((highest - lowest).max() > _safe_spread(logits.dtype)):
            return self._attended_one_by_one(histories, logits)
        weights = (logits - highest).exp()
        numerator = history_sum(histories, weights * self.similarity)
        denominator = history_sum(histories, weights)
        empty = denominator == 0  # no history item but the candidate itself
        log_denominator = torch.where(empty, 1.0, denominator).log()
        exponent = (1 - self.beta) * highest - self.beta * log_denominator
        return numerator * exponent.clamp(max=_largest_exponent(logits.dtype)).exp()

    def _attended_one_by_one(self, histories: Histories, logits: Tensor) -> Tensor:
        """Sum with each user's own maximum: for logits so far apart that one maximum per column underflows."""
        rows = histories.items.tensor_split(histories.offsets[1:-1].cpu())
        sums = [(_smoothed_softmax(logits[row], self.beta) * self.similarity[row]).sum(0) for row in rows]
        return torch.stack(sums)

    def _without_same(self, values: Tensor | None, filler: float) -> Tensor:
        assert values is not None
        if not len(self.same[0]):
            return values
        return values.index_put(self.same, values.new_tensor(filler))


def _smoothed_softmax(logits: Tensor, beta: float) -> Tensor:
    """Return exp(g) / (Σ exp g)^β over the rows; -inf entries get 0, also where all are -inf."""
    if not len(logits):
        return logits
    highest = logits.detach().amax(0)
    highest = torch.where(highest.isfinite(), highest, 0.0)
    weights = (logits - highest).exp()
    total = weights.sum(0)
    exponent = (1 - beta) * highest - beta * torch.where(total == 0, 1.0, total).log()
    return weights * exponent.clamp(max=_largest_exponent(logits.dtype)).exp()


def _length_factor(n_others: Tensor, alpha: float) -> Tensor:
    if alpha == 0:
        return torch.ones_like(n_others)
    return n_others.clamp(min=1) ** -alpha


def _safe_spread(dtype: torch.dtype) -> float:
    """Largest distance between logits of a column at which sums and their gradients neither under- nor overflow."""
    return 600.0 if dtype == torch.float64 else 80.0


def _largest_exponent(dtype: torch.dtype) -> float:
    """Beyond it a score cannot be represented and saturates instead of becoming infinite."""
    return 690.0 if dtype == torch.float64 else 80.0
