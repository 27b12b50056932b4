r"""The one scorer: every user against every candidate from a block of item pairs.

Relevance and similarity depend on the pair (history item i, candidate j) only, never on the user. So a block of
history rows R and candidate columns C is computed once, and two sums over each user's history turn it into scores:

    score_uj = b_j + |H\j|^-α · Σ_i w_i E_ij S_ij / (Σ_i w_i E_ij)^β,     E_ij = exp g_ij,  S_ij = p_i·q_j

A history item of weight w counts as w copies of it would, in |H| too; the weights are 1 where nothing else is said.
A candidate is never part of its own history. The pair (j, j) therefore takes part in no sum of any user, and it is
enough to set its E to zero in the block: no subtraction afterwards, hence no cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from irisrec.models.histories import Histories, history_sum


@dataclass(frozen=True)
class PairBlock:
    """All pairs of R history rows and C candidate columns.

    What depends on the pairs alone is computed when it is first needed, and once: a block that is kept serves any
    number of histories.

    Attributes:
        logits: g (R, C), unnormalised log relevance; None where all history items count alike (FISM).
        similarity: S = p_i·q_j (R, C).
        same: (n,) index tensors, one per dimension: the places where row and column are the same item.
        alpha: exponent of the history length, equation (2).
        beta: exponent of the softmax denominator, equations (3) and (5); not used without logits.
        added: (R, C), what a history item adds to a score whatever its relevance; None where nothing is.
        bias: b_j (C,), the candidates' biases; None where there are none. (B, C) in a `gathered` block.
    """

    logits: Tensor | None
    similarity: Tensor
    same: tuple[Tensor, ...]
    alpha: float
    beta: float
    added: Tensor | None = None
    bias: Tensor | None = None

    def scores(self, histories: Histories, n_others: Tensor | None = None) -> Tensor:
        """Return (B, C) scores; the candidate's bias alone for a history without any other item.

        Args:
            histories: B histories over the block's rows.
            n_others: (B, C) number of history items other than the candidate; needed where alpha is not 0.
        """
        if self.logits is None:
            totals = history_sum(histories, self._similarity_of_others)
        else:
            totals = self._attended(histories)
        added = None if self.added is None else history_sum(histories, self._added_by_others)
        return completed(totals, n_others, self.alpha, added, self.bias)

    def biased(self, scores: Tensor) -> Tensor:
        """Add the candidates' biases to (…, C) scores."""
        return scores if self.bias is None else scores + self.bias

    def relevance(self, weights: Tensor | None = None) -> Tensor:
        """Return a_ij (R, C) with all R rows as the one history; the candidate itself has relevance 0.

        ``weights`` (R,) say how often each row counts; a_ij is of all copies of the item together. A `gathered` block
        has the users as a first dimension, everywhere.
        """
        if self.logits is None:
            ones = torch.ones_like(self.similarity)
            return self._without_same(ones if weights is None else ones * weights[..., None], 0.0)
        logits = self._without_same(self.logits, -torch.inf)
        return _smoothed_softmax(logits if weights is None else logits + weights.log()[..., None], self.beta)

    def contributions(self, weights: Tensor | None = None, relevance: Tensor | None = None) -> Tensor:
        """Return c_ij (R, C) with all R rows as the one history; a column sums to its score without the bias.

        ``relevance`` is what `relevance` gives for the weights, where that is known already.
        """
        attended = self.attended_contributions(weights, relevance)
        return attended if self.added is None else attended + self.added_contributions(weights)

    def attended_contributions(
        self, weights: Tensor | None = None, relevance: Tensor | None = None
    ) -> Tensor:
        """Return the part of c_ij (R, C) that the relevance weighs."""
        relevance = self.relevance(weights) if relevance is None else relevance
        contributions = relevance * torch.where(relevance > 0, self.similarity, 0.0)
        if self.alpha == 0:
            return contributions
        return contributions * self._length_factors(weights).to(relevance.dtype)[..., None, :]

    def added_contributions(self, weights: Tensor | None = None) -> Tensor:
        """Return the part of c_ij (R, C) that is added whatever the relevance."""
        added = self._added_by_others
        return added if weights is None else added * weights[..., None].to(added.dtype)

    def _length_factors(self, weights: Tensor | None) -> Tensor:
        """Return |H|^-α (C,) with all rows as the history, the candidate itself left out."""
        counted = self.similarity.new_ones(self.similarity.shape[:-1]) if weights is None else weights
        counted = counted.double()
        n_others = counted.sum(-1)[..., None].repeat_interleave(self.similarity.shape[-1], -1)
        *users, rows, columns = self.same
        n_others[(*users, columns)] -= counted[(*users, rows)]
        return _length_factor(n_others, self.alpha)

    def by_candidate(self) -> PairBlock:
        """Return the block laid out for picking: what a history has with one candidate lies close together."""

        def turned(table: Tensor | None) -> Tensor | None:
            return None if table is None else table.T.contiguous().T

        similarity = self.similarity.T.contiguous().T
        return replace(self, logits=turned(self.logits), similarity=similarity, added=turned(self.added))

    def bordered(self, right: PairBlock, below: PairBlock) -> PairBlock:
        """Return the block of n items and k more, given that of the n, laid out `by_candidate`.

        What was computed from the pairs of the n items is taken over.

        Args:
            right: (n, k), the n items as history against the k as candidates.
            below: (k, n + k), the k items as history against all.
        """
        every = torch.arange(below.similarity.shape[1], device=self.similarity.device)

        def by_candidate(old: Tensor, at_right: Tensor, at_bottom: Tensor) -> Tensor:
            n = len(old)
            columns = torch.cat([at_right, at_bottom[:, n:]])  # (n + k, k)
            return _joined(old.T, at_bottom[:, :n].T, columns.T).T

        logits, added = self.logits, self.added
        if logits is not None and right.logits is not None and below.logits is not None:
            logits = by_candidate(logits, right.logits, below.logits)
        if added is not None and right.added is not None and below.added is not None:
            added = by_candidate(added, right.added, below.added)
        whole = replace(
            self,
            logits=logits,
            similarity=by_candidate(self.similarity, right.similarity, below.similarity),
            same=same_items(every, None),
            added=added,
            bias=below.bias,
        )
        known = self.__dict__.get("_exponentials")
        if known is not None and (grown := whole._bordered_exponentials(*known)) is not None:
            whole.__dict__["_exponentials"] = grown
        if (others := self.__dict__.get("_added_by_others")) is not None and added is not None:
            n = len(others)
            whole.__dict__["_added_by_others"] = _joined(
                others, added[:n, n:], whole._without_same(added, 0.0)[n:]
            )
        return whole

    def _bordered_exponentials(
        self, weighted: Tensor, weights: Tensor, highest: Tensor
    ) -> tuple[Tensor, Tensor, Tensor] | None:
        """Return `_exponentials`, given those of the first items; None where they are better computed anew.

        E may be relative to any number per column, so that of an old column stays, though a new row may lie above it.
        """
        assert self.logits is not None
        n = len(weights)
        rows = self.logits[n:, :n] - highest  # of the new items, in the old columns
        places = torch.arange(n, len(self.logits), device=rows.device)
        new = PairBlock(
            self.logits[:, n:], self.similarity[:, n:], (places, places - n), self.alpha, self.beta
        )
        columns = new._exponentials
        if columns is None or bool(rows.abs().max() > _safe_spread(rows.dtype)):
            return None
        below = rows.exp()
        return (
            _joined(
                weighted, columns[0][:n], torch.cat([below * self.similarity[n:, :n], columns[0][n:]], 1)
            ),
            _joined(weights, columns[1][:n], torch.cat([below, columns[1][n:]], 1)),
            torch.cat([highest, columns[2]]),
        )

    def scores_without_each(self, weights: Tensor | None = None) -> Tensor:
        """Return (R, C) scores: all rows but one are the history, each row is left out in turn."""
        similarity = self.similarity.double()
        counted = similarity.new_ones(len(similarity)) if weights is None else weights.double()
        others = self._without_same(counted[:, None].expand_as(similarity), 0.0)
        factor = _length_factor(_sums_without_each(others), self.alpha)
        if self.logits is None:
            totals = _sums_without_each(others * similarity)
        else:
            logits = self.logits.double() + counted.log()[:, None]
            totals = replace(self, logits=logits, similarity=similarity)._attended_without_each()
        totals = totals * factor
        if self.added is not None:
            totals = totals + _sums_without_each(self.added_contributions(weights).double())
        largest = torch.finfo(self.similarity.dtype).max
        return self.biased(totals.clamp(-largest, largest).to(self.similarity.dtype))

    def picked(self, rows: Tensor, columns: Tensor | None) -> PairBlock:
        """Return, of the block of all items, some rows (r,) and columns (c,), all columns if None."""
        places = (rows,) if columns is None else (rows[:, None], columns)
        return self._at(places, same_items(rows, columns), columns)

    def gathered(self, rows: Tensor, columns: Tensor) -> PairBlock:
        """Return, of the block of all items, rows (B, r) and columns (B, c) of B users: a block (B, r, c)."""
        same = (rows[:, :, None] == columns[:, None, :]).nonzero(as_tuple=True)
        return self._at((rows[:, :, None], columns[:, None, :]), same, columns)

    def _at(self, places: tuple[Tensor, ...], same: tuple[Tensor, ...], columns: Tensor | None) -> PairBlock:
        logits = None if self.logits is None else self.logits[places]
        added = None if self.added is None else self.added[places]
        bias = self.bias if self.bias is None or columns is None else self.bias[columns]
        return PairBlock(logits, self.similarity[places], same, self.alpha, self.beta, added, bias)

    @cached_property
    def _similarity_of_others(self) -> Tensor:
        return self._without_same(self.similarity, 0.0).contiguous()

    @cached_property
    def _added_by_others(self) -> Tensor:
        return self._without_same(self.added, 0.0).contiguous()

    @cached_property
    def _exponentials(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """E S (R, C), E (R, C) and the highest logit of each column (C,), to which E is relative.

        None where logits lie so far apart that one maximum per column would underflow.
        """
        logits = self._without_same(self.logits, -torch.inf)
        highest = logits.detach().amax(0)
        highest = torch.where(highest.isfinite(), highest, 0.0)
        lowest = self._without_same(logits.detach(), torch.inf).amin(0)
        if bool((highest - lowest).max() > _safe_spread(logits.dtype)):
            return None
        weights = (logits - highest).exp().contiguous()
        return (weights * self.similarity).contiguous(), weights, highest

    def _attended(self, histories: Histories) -> Tensor:
        if not len(self.similarity):
            return self.similarity.new_zeros(len(histories), self.similarity.shape[1])
        if self._exponentials is None:
            return self._attended_one_by_one(histories)
        weighted, weights, highest = self._exponentials
        return self._quotient(history_sum(histories, weighted), history_sum(histories, weights), highest)

    def _quotient(self, numerator: Tensor, denominator: Tensor, highest: Tensor) -> Tensor:
        """Divide sums whose exponentials are relative to the highest logits (C,)."""
        empty = denominator == 0  # no history item but the candidate itself
        log_denominator = torch.where(empty, 1.0, denominator).log()
        exponent = (1 - self.beta) * highest - self.beta * log_denominator
        return numerator * exponent.clamp(max=_largest_exponent(numerator.dtype)).exp()

    def _attended_without_each(self) -> Tensor:
        if not len(self.similarity):
            return self.similarity
        if self._exponentials is None:
            rows = torch.arange(len(self.similarity), device=self.similarity.device)
            return self._attended_one_by_one(Histories.without_each(rows))
        weighted, weights, highest = self._exponentials
        return self._quotient(_sums_without_each(weighted), _sums_without_each(weights), highest)

    def _attended_one_by_one(self, histories: Histories) -> Tensor:
        """Sum with each user's own maximum."""
        all_logits = self._without_same(self.logits, -torch.inf)
        sums = []
        for start, stop in pairwise(histories.offsets.tolist()):
            rows = histories.items[start:stop]
            logits = all_logits[rows]
            if histories.weights is not None:
                logits = logits + histories.weights[start:stop].log()[:, None]
            sums.append((_smoothed_softmax(logits, self.beta) * self.similarity[rows]).sum(0))
        return torch.stack(sums)

    def _without_same(self, values: Tensor | None, filler: float) -> Tensor:
        assert values is not None
        if not len(self.same[0]):
            return values
        return values.index_put(self.same, values.new_tensor(filler))


def completed(
    totals: Tensor, n_others: Tensor | None, alpha: float, added: Tensor | None, bias: Tensor | None
) -> Tensor:
    """Return the scores of `PairBlock.scores` from sums (B, C) over histories that ignore their lengths.

    Args:
        totals: (B, C), weighed by relevance.
        n_others: as of `PairBlock.scores`.
        alpha: as of `PairBlock`.
        added: (B, C), what is added to them, or None.
        bias: (C,), the candidates' biases, or None.
    """
    if n_others is not None:
        totals = totals * _length_factor(n_others, alpha)
    if added is not None:
        totals = totals + added
    return totals if bias is None else totals + bias


def _joined(old: Tensor, right: Tensor, below: Tensor) -> Tensor:
    """Return (r + k, c + l) of old (r, c), right (r, l) and below (k, c + l), row after row."""
    whole = old.new_empty(len(old) + len(below), below.shape[1])
    whole[: len(old), : old.shape[1]], whole[: len(old), old.shape[1] :], whole[len(old) :] = (
        old,
        right,
        below,
    )
    return whole


def same_items(rows: Tensor, columns: Tensor | None) -> tuple[Tensor, ...]:
    """Return the places in a block of item rows (R,) and columns (C,), all items if None, where both are the same."""
    if columns is None:
        return torch.arange(len(rows), device=rows.device), rows
    return (rows[:, None] == columns).nonzero(as_tuple=True)


def _sums_without_each(terms: Tensor) -> Tensor:
    """Return (R, C): for each row the sum of all others, made of those before it and those after it.

    Nothing is subtracted from the sum of all: what is left may be far smaller than the rounding of that sum.
    """
    sums, running = torch.empty_like(terms), terms.new_zeros(terms.shape[1:])
    pairs = list(zip(terms, sums, strict=True))
    for term, place in pairs:  # row after row in the cache; cumsum takes four times as long
        place.copy_(running)
        running += term
    running.zero_()
    for term, place in reversed(pairs):
        place += running
        running += term
    return sums


def _smoothed_softmax(logits: Tensor, beta: float) -> Tensor:
    """Return exp(g) / (Σ exp g)^β over the rows; -inf entries get 0, also where all are -inf."""
    if not logits.shape[-2]:
        return logits
    highest = logits.detach().amax(-2, keepdim=True)
    highest = torch.where(highest.isfinite(), highest, 0.0)
    weights = (logits - highest).exp()
    # rounded from double precision, a sum does not depend on what else is summed beside it
    total = weights.sum(-2, keepdim=True, dtype=torch.float64).to(weights.dtype)
    exponent = (1 - beta) * highest - beta * torch.where(total == 0, 1.0, total).log()
    return weights * exponent.clamp(max=_largest_exponent(logits.dtype)).exp()


def _length_factor(n_others: Tensor, alpha: float) -> Tensor:
    if alpha == 0:
        return torch.ones_like(n_others)
    return torch.where(n_others > 0, n_others, 1.0) ** -alpha


def _safe_spread(dtype: torch.dtype) -> float:
    """Largest distance between logits of a column at which sums and their gradients neither under- nor overflow."""
    return 600.0 if dtype == torch.float64 else 80.0


def _largest_exponent(dtype: torch.dtype) -> float:
    """Beyond it a score cannot be represented and saturates instead of becoming infinite."""
    return 690.0 if dtype == torch.float64 else 80.0
