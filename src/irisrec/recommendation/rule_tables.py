"""Rules as tables over the item rows of one recommender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError, ModelError, closest
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.recommendation.choosing import Diversity, Floats, Ints, Limit, choose, first_k
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.rules import LEARNED, Rules
from irisrec.recommendation.where import Condition, cells_of


@dataclass(frozen=True)
class RuleTables:
    """Rules, resolved.

    Attributes:
        allowed: (n_items,), what may be recommended to anybody.
        exclude_seen: whether a user's own items are left out.
        min_probability: the least probability of a recommended item.
        damping: (n_items,), subtracted from the scores that items are ranked by; None where nothing is.
        limits, diversity: of each list.
    """

    allowed: NDArray[np.bool_]
    exclude_seen: bool
    min_probability: float | None
    damping: Floats | None
    limits: tuple[Limit, ...]
    diversity: Diversity | None

    def choose(self, scores: Floats, items: Ints, seen: tuple[Ints, Ints], k: int) -> Ints:
        """Return the columns (B, K) of each user's list, best first, -1 where fewer are allowed.

        Args:
            scores: (B, C) of the model; not changed.
            items: (C,), the item row of each column.
            seen: rows and columns of what the users had.
            k: length of the lists.
        """
        values = scores.astype(np.float64) if self.damping is None else scores - self.damping[items]
        blocked = np.broadcast_to(~self.allowed[items], scores.shape)
        if self.min_probability is not None:
            blocked = blocked | (probabilities(scores) < self.min_probability)
        values[blocked] = -np.inf
        if self.exclude_seen:
            values[seen] = -np.inf
        if not self.limits and self.diversity is None:
            return first_k(values, k)
        k = min(k, len(items))
        lists = np.full((len(values), k), -1, np.int64)
        for row, ranked in enumerate(values):
            chosen = choose(ranked, items, k, self.limits, self.diversity)
            lists[row, : len(chosen)] = chosen
        return lists


def probabilities(scores: Floats) -> Floats:
    """Return the sigmoids of logits of any size.

    >>> probabilities(np.array([-1e6, 0.0, 1e6])).tolist()
    [0.0, 0.5, 1.0]
    """
    result: Floats = np.exp(-np.logaddexp(0.0, -scores.astype(np.float64)))
    return result


def resolve(
    rules: Rules, catalog: Catalog, items: IdMap, model: Scorer, known: KnownUsers | None
) -> RuleTables:
    """Look rules up in a catalog.

    Args:
        rules: as asked.
        catalog: row ``i`` describes item ``i``.
        items: ids of the rows.
        model: whose probabilities and vectors are meant.
        known: users by whom popularity is counted.

    Raises:
        DataError: unknown ids or columns, and conditions that no item meets.
        ModelError: something that the model cannot give.
    """
    if rules.min_probability is not None and not model.is_probabilistic:
        raise ModelError(
            f"min_probability = {rules.min_probability:g} needs probabilities, this model gives scores alone; "
            "leave it out, or train an item-similarity model with the log loss"
        )
    return RuleTables(
        allowed=_allowed(rules, catalog, items),
        exclude_seen=rules.exclude_seen,
        min_probability=rules.min_probability,
        damping=_damping(rules.popularity_damping, known),
        limits=tuple(_limit(catalog, column, n) for column, n in rules.at_most.items()),
        diversity=_diversity(rules, model),
    )


def _allowed(rules: Rules, catalog: Catalog, items: IdMap) -> NDArray[np.bool_]:
    allowed = np.full(len(items), rules.allow is None)
    if rules.allow is not None:
        allowed[items.index(rules.allow)] = True
    allowed[items.index(rules.deny)] = False
    for condition in rules.where:
        allowed &= Condition.parse(condition).fits(catalog)
    return allowed


def _damping(strength: float, known: KnownUsers | None) -> Floats | None:
    if not strength:
        return None
    if known is None:
        raise DataError(
            "popularity_damping needs known users to count, this recommender has none; leave it out"
        )
    damping: Floats = strength * np.log1p(known.counts)
    return damping


def _limit(catalog: Catalog, column: str, n: int) -> Limit:
    rows, cells = cells_of(catalog, column)
    _, codes = np.unique(cells.to_numpy(), return_inverse=True)
    values: list[list[int]] = [[] for _ in range(len(catalog))]
    for row, code in set(zip(rows.tolist(), codes.tolist(), strict=True)):
        values[row].append(code)
    return Limit(n, values)


def _diversity(rules: Rules, model: Scorer) -> Diversity | None:
    if not rules.diversity:
        return None
    return Diversity(rules.diversity, rules.diversity_pool, _units_by(rules.diversity_by, model))


def _units_by(by: str, model: Scorer) -> Callable[[Ints], Floats]:
    vectors: Callable[[Tensor], Tensor]
    if by == LEARNED:
        vectors = model.candidate_vectors
        vectors(torch.arange(0))  # refuses now where nothing is learned
    else:
        content = model.content_vectors
        if by not in content:
            known = [LEARNED, *content]
            raise ModelError(
                f"diversity_by = {by!r} is nothing that this model can compare items by"
                f"{closest(by, known)}; it has {', '.join(known)}"
            )
        vectors = content[by].__getitem__

    def units(items: Ints) -> Floats:
        found: Floats = torch.nn.functional.normalize(vectors(torch.from_numpy(items)), dim=1).numpy()
        return found

    return units
