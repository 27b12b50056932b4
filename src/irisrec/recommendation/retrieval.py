r"""Retrieval for large catalogs: a linear score finds candidates, the model's own score ranks them.

A score ``r_uj = b_j + |H|^-α Σ_i a_ij p_i·q_j`` would be linear in what is learned of item j, ``u·q_j + b_j`` with
``u = |H|^-α Σ_i ā_i p_i``, if a history item had the same relevance ā_i for every candidate. It has not, but among
items that are alike it nearly has. So ``u`` is found by regression: for some items the exact score is computed, and
the ``u`` that fits them best by least squares gives every item of the catalog a linear score, at D multiplications
each where the model needs some 3 |H| D operations. The items it puts first are scored exactly in turn, ``u`` is
fitted again to them, where it matters, and the best by that join the candidates. Whatever is recommended has its exact
score; only an item that no linear score put among the candidates can be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from irisrec.errors import ModelError
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.prepared import PreparedItemSimilarity
from irisrec.recommendation.choosing import Floats, Ints
from irisrec.recommendation.rule_tables import RuleTables

FROM_ITEMS = 50_000  # below, the exact scores of all items take little longer than the search
LEAST, SHARE = (
    2048,
    0.01,
)  # candidates of each linear score: so many, or a share of the catalog if that is more
_SAMPLE = 512  # items that the first linear score is fitted to
_MORE = 4  # times as many candidates are taken where rules leave too few


def may_retrieve(model: Scorer) -> bool:
    """Whether the catalog is large and scores are nearly linear in vectors of its items: no ridge term, but factors."""
    return isinstance(model, ItemSimilarity) and model.ridge is None and model.n_items >= FROM_ITEMS


@dataclass(frozen=True)
class Retriever:
    """Finds and ranks the items for some users without scoring all of them exactly.

    Attributes:
        scorer: of a model that `may_retrieve`.
    """

    scorer: PreparedItemSimilarity

    @property
    def n_candidates(self) -> int:
        """How many items each linear score brings."""
        return min(self.scorer.n_items, max(LEAST, int(SHARE * self.scorer.n_items)))

    @torch.no_grad()
    def choose(self, histories: Histories, rules: RuleTables, k: int) -> tuple[Ints, Floats]:
        """Return item rows (B, K) and exact scores, as `RuleTables.choose` would of the scores of all items.

        A list is shorter than k only where fewer items are allowed: more candidates are taken where it would be.
        """
        k = min(k, self.scorer.n_items)
        penalty = torch.zeros(self.scorer.n_items)
        if rules.damping is not None:
            penalty += torch.from_numpy(rules.damping).float()
        penalty[torch.from_numpy(~rules.allowed)] = torch.inf
        scored = self.scorer.score(histories, self._sample)
        _require_finite(scored.numpy())
        weights = self._fitted(histories, self._sample, scored)
        items, scores = np.full((len(histories), k), -1, np.int64), np.full((len(histories), k), np.nan)
        for user, linear in enumerate(weights):
            own = histories.part(user, user + 1)
            chosen, values = self._list(own, linear, penalty, rules, k)
            items[user, : len(chosen)], scores[user, : len(chosen)] = chosen, values
        return items, scores

    def _list(
        self, history: Histories, linear: Tensor, penalty: Tensor, rules: RuleTables, k: int
    ) -> tuple[Ints, Floats]:
        if rules.exclude_seen:
            penalty = penalty.index_fill(0, history.items, torch.inf)
        n_free = int(torch.isfinite(penalty).sum())
        n = max(self.n_candidates, 4 * k)
        while True:
            candidates = self._best(linear, penalty, min(n, n_free))
            scores = self.scorer.score(history, candidates)
            again = self._fitted(history, candidates, scores)[0]
            more = self._best(again, penalty, min(n, n_free))
            candidates = torch.unique(torch.cat([candidates, more]))
            exact, rows = self.scorer.score(history, candidates).numpy(), candidates.numpy()
            _require_finite(exact)
            (places,) = rules.choose(exact, rows, _nothing(), k)
            places = places[places >= 0]
            if len(places) == k or n >= n_free:
                return rows[places], exact[0, places].astype(np.float64)
            n *= _MORE

    def _best(self, linear: Tensor, penalty: Tensor, n: int) -> Tensor:
        """Return the rows (n,) of the highest linear scores, ascending."""
        scores = torch.addmv(self._bias - penalty, self.scorer.tables.q, linear)
        return scores.topk(n, sorted=False).indices.sort().values

    def _fitted(self, histories: Histories, items: Tensor, scores: Tensor) -> Tensor:
        """Return u (B, D), the best by least squares for exact scores (B, C) of some items, and a constant beside."""
        vectors = self.scorer.tables.q[items].double()
        target = (scores - self._bias[items]).double()
        mean = vectors.mean(0)
        vectors, target = vectors - mean, target - target.mean(1, keepdim=True)
        matrix = vectors.T @ vectors
        matrix.diagonal().add_(1e-4 * matrix.diagonal().mean() + 1e-12)
        solved: Tensor = torch.linalg.solve(matrix, vectors.T @ target.T)
        return solved.T.to(scores.dtype)

    @property
    def _bias(self) -> Tensor:
        bias = self.scorer.tables.bias
        return self.scorer.tables.q.new_zeros(self.scorer.n_items) if bias is None else bias.detach()

    @property
    def _sample(self) -> Tensor:
        """Item rows (C,), spread evenly over the catalog."""
        n_items = self.scorer.n_items
        n = min(_SAMPLE, n_items)
        return torch.arange(n) * n_items // n


def _require_finite(scores: Floats) -> None:
    if not np.isfinite(scores).all():
        raise ModelError("the model gave scores that are not finite; it cannot be ranked by them")


def _nothing() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return seen pairs where there are none: what is seen is no candidate."""
    return np.empty(0, np.int64), np.empty(0, np.int64)
