"""Are the reasons why the model scores as it does? Its score, as history items go in the order of its own reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.errors import ModelError
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.models.prepared import prepared
from irisrec.progress import progress

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REASONS, SIMILARITY, CHANCE, STEEPEST = "contribution", "similarity", "random", "steepest"
ORDERS = (REASONS, SIMILARITY, CHANCE, STEEPEST)
MEASURES = ("deletion", "insertion", "kept")
N_STEPS = 20  # a longer history goes in so many parts
SHARES = np.linspace(0, 1, N_STEPS + 1)  # of the history, where mean curves are read
_USERS_AT_ONCE = 16


@dataclass(frozen=True)
class Faithfulness:
    """What removing and adding history items in several orders does to the item that each user is recommended first.

    The score of that item is told as a share of what the whole history gives it: 0 is its score with an empty history,
    1 with the whole. So models of different scales are held against themselves, each by its own reasons for its own
    recommendation.

    The orders are ``contribution``, highest first; ``similarity`` alone; ``random``, the mean of several draws; and
    ``steepest``, which takes away at each step what then lowers the score most: about as fast as it can fall.

    Attributes:
        values: {order: {measure: (n_users,)}}. ``deletion`` is the area under the score as items go, the lower the
            better; ``insertion`` the area as they come to an empty history, the higher the better; ``kept`` the share
            of the history that is gone when the item leaves the first k, the lower the better; 1 if it never does.
        curves: {order: {"deletion" and "insertion": mean share of the score at each of `SHARES` of the history}}.
        n_users: users judged.
        n_left_out: users whose history does not raise the score of what they are recommended, so that no share of it
            can be told.
        k: how many items are recommended.
    """

    values: dict[str, dict[str, Floats]]
    curves: dict[str, dict[str, Floats]]
    n_users: int
    n_left_out: int
    k: int

    def mean(self, order: str, measure: str) -> float:
        """Return the mean of a measure over users."""
        return float(self.values[order][measure].mean())

    def speed(self, order: str) -> float:
        """Return how fast the score falls in an order: 0 as in random order, 1 as in the steepest."""
        slow, fast = self.mean(CHANCE, "deletion"), self.mean(STEEPEST, "deletion")
        return (slow - self.mean(order, "deletion")) / (slow - fast) if slow > fast else float("nan")


@dataclass(frozen=True)
class _Case:
    """One user: the history (L,), what is recommended first, and in which orders the history may go."""

    history: Ints
    item: int
    orders: list[tuple[str, Ints]]  # places in the history

    @property
    def steps(self) -> Ints:
        """How many items have gone at each point of a curve."""
        return np.unique(np.linspace(0, len(self.history), N_STEPS + 1).round().astype(np.int64))

    def parts(self) -> Iterator[Ints]:
        """Yield places in the history: for each order those left at every step, then those added at every step."""
        for _, order in self.orders:
            yield from (order[n:] for n in self.steps)
            yield from (order[:n] for n in self.steps)


@dataclass(frozen=True)
class _Curves:
    """One user: {order: areas of deletion, insertion and kept}, {order: (2, SHARES) deletion and insertion}."""

    areas: dict[str, Floats]
    curves: dict[str, Floats]

    @classmethod
    def of(cls, case: _Case, scores: Floats, is_kept: Floats) -> Self:
        """Measure (orders, 2, steps) shares of the score and (orders, steps) truths; several draws are averaged."""
        gone = case.steps / len(case.history)
        areas = ((scores[..., 1:] + scores[..., :-1]) / 2 * np.diff(gone)).sum(-1)  # (orders, 2)
        has_left = np.append(
            is_kept == 0, np.ones((len(is_kept), 1), bool), axis=1
        )  # at the latest after the end
        kept = np.append(gone, 1.0)[has_left.argmax(1)]
        areas = np.column_stack([areas, kept])
        read = np.array([[np.interp(SHARES, gone, line) for line in order] for order in scores])
        names = np.array([name for name, _ in case.orders])
        return cls(
            {name: areas[names == name].mean(0) for name in ORDERS},
            {name: read[names == name].mean(0) for name in ORDERS},
        )


def measure_faithfulness(
    model: Scorer, histories: csr_matrix, users: Ints, *, k: int = 10, n_random: int = 3, seed: int = 0
) -> Faithfulness:
    """Judge the reasons of a model for the first item that it recommends to each user.

    Args:
        model: gives reasons.
        histories: (n_users, n_items), what each user is known by.
        users: rows, of at least two items each.
        k: how many items are recommended.
        n_random: draws of the random order.
        seed: of these draws.

    Raises:
        ModelError: a model without reasons, or one whose history raises no score.
    """
    if not model.has_reasons:
        raise ModelError(
            f"{type(model).__name__} does not score by history items: it has no reasons that could be judged"
        )
    rng = np.random.default_rng(seed)
    found: list[_Curves] = []
    model = prepared(model.eval())
    with progress("judging reasons", len(users)) as task, torch.no_grad():
        for start in range(0, len(users), _USERS_AT_ONCE):
            some = users[start : start + _USERS_AT_ONCE]
            found += _judged(model, _cases(model, histories[some], n_random, rng), k)
            task.advance(len(some))
    if not found:
        raise ModelError(
            f"{type(model).__name__} raises no score by a history: there is nothing to take away"
        )
    areas, curves = ([getattr(user, name) for user in found] for name in ("areas", "curves"))
    return Faithfulness(
        values={
            order: {m: np.array([user[order][at] for user in areas]) for at, m in enumerate(MEASURES)}
            for order in ORDERS
        },
        curves={
            order: {
                m: np.mean([user[order][at] for user in curves], axis=0) for at, m in enumerate(MEASURES[:2])
            }
            for order in ORDERS
        },
        n_users=len(found),
        n_left_out=len(users) - len(found),
        k=k,
    )


def _cases(model: Scorer, histories: csr_matrix, n_random: int, rng: np.random.Generator) -> list[_Case]:
    cases = []
    scores = torch.cat(list(model.rank_scores(Histories.from_matrix(histories)))).clone()
    for user in range(histories.shape[0]):
        history = np.sort(histories.indices[slice(*histories.indptr[user : user + 2])].astype(np.int64))
        scores[user, history] = -torch.inf
        item = int(scores[user].argmax())
        reasons = model.reasons(torch.from_numpy(history), torch.tensor([item]))
        orders = [
            (REASONS, np.argsort(-reasons.contribution[:, 0].double().numpy(), kind="stable")),
            (SIMILARITY, np.argsort(-reasons.similarity[:, 0].double().numpy(), kind="stable")),
            *((CHANCE, rng.permutation(len(history))) for _ in range(n_random)),
        ]
        case = _Case(history, item, orders)
        orders.append((STEEPEST, _steepest(model, case)))
        cases.append(case)
    return cases


def _steepest(model: Scorer, case: _Case) -> Ints:
    """Return places in the history: at each step those without which the score is then lowest."""
    left, gone = np.arange(len(case.history)), []
    for n in np.diff(case.steps):
        scores = model.scores_without(torch.from_numpy(case.history[left]), torch.tensor([case.item]))
        order = np.argsort(scores[:, 0].double().numpy(), kind="stable")
        gone.append(left[order[:n]])
        left = np.sort(left[order[n:]])
    return np.concatenate(gone)


def _judged(model: Scorer, cases: list[_Case], k: int) -> Iterator[_Curves]:
    """Yield the curves of each user whose history raises the score."""
    points = _points(model, cases, k)
    for case in cases:
        shape = (len(case.orders), 2, len(case.steps))
        told = np.array(list(islice(points, int(np.prod(shape))))).reshape(*shape, 2)
        scores, is_kept = told[..., 0], told[:, 0, :, 1]  # (orders, 2, steps), (orders, steps)
        full, empty = scores[0, 0, 0], scores[0, 0, -1]
        if full > empty:
            yield _Curves.of(case, (scores - empty) / (full - empty), is_kept)


def _points(model: Scorer, cases: list[_Case], k: int) -> Iterator[tuple[float, bool]]:
    """Yield, for each part of each history, the score of the user's item, and whether it is among the first k."""
    parts = [case.history[places] for case in cases for places in case.parts()]
    owners = np.repeat(np.arange(len(cases)), [2 * len(case.orders) * len(case.steps) for case in cases])
    start = 0
    for scores in model.rank_scores(Histories.of(parts)):
        for row, owner in zip(scores, owners[start : start + len(scores)], strict=True):
            case = cases[owner]
            own = row[case.item]
            n_as_good = int((row >= own).sum()) - int((row[case.history] >= own).sum())  # itself included
            yield float(own), n_as_good <= k
        start += len(scores)
