"""From a model to an explanation: contributions, their split, and what would be without each history item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from irisrec.ids import Id
from irisrec.models.contract import ModalityShares, Reasons, Scorer, Shares
from irisrec.models.histories import Histories
from irisrec.recommendation.choosing import Floats, Ints, first_k
from irisrec.recommendation.explanation import Behind, Explanation, Lead, TestedReason
from irisrec.recommendation.likeness import Likeness
from irisrec.recommendation.rule_tables import probabilities

_SCORES_AT_ONCE = 1 << 22  # of one history without each of its items: 32 MB in float64


@dataclass(frozen=True)
class Explainer:
    """Explains items to one user.

    Attributes:
        scorer: the model.
        histories: the user's history alone.
        scores: (N,) of all items for the user.
        likeness: which items are alike.
        name: gives id and title of an item row.
    """

    scorer: Scorer
    histories: Histories
    scores: Floats
    likeness: Likeness
    name: Callable[[int], tuple[Id, str]]

    def explain(self, row: int, k: int, n_reasons: int) -> Explanation:
        """Explain the item of a row, naming up to ``n_reasons`` history items for it and as many against it."""
        free = np.ones(len(self.scores), bool)
        free[self.histories.items.numpy()] = False
        in_history = not free[row]
        free[row] = True
        item_id, title = self.name(row)
        score = self.scores[row]
        explanation = Explanation(
            item_id=item_id,
            title=title,
            score=float(score),
            probability=float(probabilities(score)) if self.scorer.is_probabilistic else None,
            rank=int(_ranks(self.scores[None], score[None], row, free)[0]),
            n_candidates=int(free.sum()),
            k=k,
            in_history=in_history,
            has_reasons=self.scorer.has_reasons,
            missing=tuple(name for name, mask in self.scorer.content_masks.items() if not mask[row]),
        )
        if not self.scorer.has_reasons:
            return explanation
        explanation = self._with_reasons(explanation, row, free, n_reasons)
        if in_history or explanation.is_recommended:
            return explanation
        return replace(explanation, behind=self._behind(row, free, k, n_reasons))

    def _with_reasons(
        self, explanation: Explanation, row: int, free: NDArray[np.bool_], n_reasons: int
    ) -> Explanation:
        (column,) = self._columns([row])
        order = np.argsort(-column.contribution, kind="stable")
        is_for = column.contribution[order] > 0
        is_against = column.contribution[order] < 0
        speaking = order[is_for][:n_reasons]
        opposing = order[is_against][::-1][:n_reasons]
        scores, ranks = self._without_each(row, free)
        named = np.concatenate([speaking, opposing])
        reasons = self._reasons(row, named, column, scores, ranks)
        decisive = (ranks <= explanation.k) != (explanation.rank <= explanation.k)
        others = np.delete(column.contribution, named)
        return replace(
            explanation,
            bias=column.bias,
            ids=column.ids,
            modalities=column.modalities,
            because=reasons[: len(speaking)],
            against=reasons[len(speaking) :],
            others=float(others.sum()),
            n_others=len(others) - int(explanation.in_history),  # the item is no reason for itself
            n_decisive=0 if explanation.in_history else int(decisive.sum()),
        )

    def _reasons(
        self, row: int, places: NDArray[np.intp], column: _Column, scores: Floats, ranks: Ints
    ) -> tuple[TestedReason, ...]:
        history = self.histories.items
        pairs = history[places], torch.tensor([row])
        shared, alike = self.likeness.shared(*pairs), self.likeness.alike(*pairs)
        reasons = []
        for at, place in enumerate(places.tolist()):
            item_id, title = self.name(int(history[place]))
            reasons.append(
                TestedReason(
                    item_id=item_id,
                    title=title,
                    relevance=float(column.relevance[place]),
                    contribution=float(column.contribution[place]),
                    modalities={m: float(share[place]) for m, share in column.shares.items()},
                    relevance_modalities={
                        m: float(share[place]) for m, share in column.relevance_shares.items()
                    },
                    shared=tuple(m for m, is_shared in shared.items() if is_shared[at, 0]),
                    alike=tuple(m for m, is_alike in alike.items() if is_alike[at, 0]),
                    score_without=float(scores[place]),
                    rank_without=int(ranks[place]),
                )
            )
        return tuple(reasons)

    def _behind(self, row: int, free: NDArray[np.bool_], k: int, n: int) -> Behind:
        last = int(first_k(np.where(free, self.scores, -np.inf)[None], k)[0, -1])
        here, there = self._columns([row, last])
        more = there.contribution - here.contribution
        order = np.argsort(-more, kind="stable")[:n]
        leads = []
        for place in order[more[order] > 0].tolist():
            item_id, title = self.name(int(self.histories.items[place]))
            leads.append(
                Lead(item_id, title, float(there.contribution[place]), float(here.contribution[place]))
            )
        item_id, title = self.name(last)
        return Behind(
            item_id=item_id,
            title=title,
            score=float(self.scores[last]),
            gap=float(self.scores[last] - self.scores[row]),
            bias=there.bias - here.bias,
            ids=None if there.ids is None or here.ids is None else there.ids - here.ids,
            modalities={m: there.modalities[m] - here.modalities[m] for m in here.modalities},
            leads=tuple(leads),
        )

    def _columns(self, rows: list[int]) -> list[_Column]:
        history, weights = self.histories.items, self.histories.weights
        candidates = torch.tensor(rows)
        reasons = self.scorer.reasons(history, candidates, weights)
        split = None
        if self.scorer.splits_modalities or not self.scorer.content_masks:
            split = self.scorer.modality_shares(history, candidates, weights)
        return [_Column.of(reasons, split, at) for at in range(len(rows))]

    def _without_each(self, row: int, free: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        """Return score and rank (L,) of an item without each history item in turn; the candidates stay the same."""
        history, weights = self.histories.items, self.histories.weights
        own = self.scorer.scores_without(history, torch.tensor([row]), weights)[:, 0].double().numpy()
        ranks = np.ones(len(history), np.int64)
        step = max(1, _SCORES_AT_ONCE // max(len(history), 1))
        for start in range(0, len(free), step):
            # all at once where they fit: rows of pairs are quicker to pick than single ones
            some = None if step >= len(free) else torch.arange(start, min(start + step, len(free)))
            scores = self.scorer.scores_without(history, some, weights).double().numpy()
            ranks += _n_before(scores, own, row - start, free[start : start + step])
        return own, ranks


@dataclass(frozen=True)
class _Column:
    """What one candidate's score is made of; arrays are over the history (L,)."""

    bias: float
    relevance: Floats
    contribution: Floats
    ids: float | None
    shares: dict[str, Floats]
    relevance_shares: dict[str, Floats]

    @classmethod
    def of(cls, reasons: Reasons, split: ModalityShares | None, at: int) -> Self:
        """Take the candidate of one column; without a split nothing is known of modalities."""
        return cls(
            bias=float(reasons.bias[at]),
            relevance=_numbers(reasons.relevance[:, at]),
            contribution=_numbers(reasons.contribution[:, at]),
            ids=float(split.contribution.ids[:, at].double().sum()) if split else None,
            shares=_by_modality(split.contribution, at) if split else {},
            relevance_shares=_by_modality(split.relevance, at) if split else {},
        )

    @property
    def modalities(self) -> dict[str, float]:
        """The shares of the score: Shapley values add up over the history."""
        return {m: float(share.sum()) for m, share in self.shares.items()}


def _by_modality(shares: Shares, at: int) -> dict[str, Floats]:
    return {m: _numbers(share[:, at]) for m, share in shares.modalities.items()}


def _numbers(values: Tensor) -> Floats:
    numbers: Floats = values.double().numpy()
    return numbers


def _ranks(scores: Floats, own: Floats, row: int, free: NDArray[np.bool_]) -> Ints:
    return 1 + _n_before(scores, own, row, free)


def _n_before(scores: Floats, own: Floats, row: int, free: NDArray[np.bool_]) -> Ints:
    """Count, of free items (C,) with scores (B, C), those before one at column ``row`` that scores ``own`` (B,).

    Of equal scores the item that comes first in the catalog leads.
    """
    columns = np.arange(scores.shape[1])
    before = (scores > own[:, None]) | ((scores == own[:, None]) & (columns < row))
    return np.asarray((before & free & (columns != row)).sum(axis=1), np.int64)
