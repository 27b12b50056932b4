"""Which users a report shows: chosen by a rule that can be stated, never by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irisrec.evaluation.ranking import rank_targets
from irisrec.experiments.reporting.finished import FinishedRun

SHORTEST, LONGEST = 5, 60
LOOKED_AT = 2048
SHOWN, NEAR = 3, 10
# where the held-out item stands
OUTCOMES = (
    f"among the first {SHOWN}",
    f"among the first {NEAR} but not the first {SHOWN}",
    "further down",
)


@dataclass(frozen=True)
class Chosen:
    """A user to show: row in the split, which outcome, and the rank of the best-placed held-out item."""

    row: int
    outcome: str
    rank: int
    n_candidates: int


@dataclass(frozen=True)
class Choice:
    """The users to show.

    Attributes:
        users: at most one per outcome, best outcome first.
        rule: how they were chosen, in words.
        shares: (outcome, share of the users looked at).
        n_looked_at: how many users the shares are of.
    """

    users: tuple[Chosen, ...]
    rule: str
    shares: tuple[tuple[str, float], ...]
    n_looked_at: int


def choose_users(run: FinishedRun) -> Choice:
    """Take the first user, in the order of the data, for each outcome.

    Ranks are those of the list shown: known by training items alone, which are no candidates; everything else is.
    """
    rows, lengths = _eligible(run)
    if not len(rows):
        return Choice((), "", (), 0)
    best = best_ranks(run, rows)
    groups = (best <= SHOWN, (best > SHOWN) & (best <= NEAR), best > NEAR)
    users = []
    for outcome, group in zip(OUTCOMES, groups, strict=True):
        if group.any():
            at = int(np.argmax(group))
            n_candidates = len(run.catalog) - int(lengths[at])
            users.append(Chosen(int(rows[at]), outcome, int(best[at]), n_candidates))
    shares = tuple((outcome, float(group.mean())) for outcome, group in zip(OUTCOMES, groups, strict=True))
    return Choice(tuple(users), _rule(int(lengths.min()), int(lengths.max())), shares, len(rows))


def best_ranks(run: FinishedRun, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (B,), where the best-placed held-out item of each user stands in the list shown."""
    train = run.split.train[rows]
    ranks = rank_targets(run.model, train, run.split.test[rows], train, {}, run.config.evaluation.batch_users)
    best = np.full(len(rows), np.iinfo(np.int64).max)
    np.minimum.at(best, ranks.owners, ranks.ranks["full"])
    return best


def _eligible(run: FinishedRun) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and history lengths of users with a held-out item; of those, with a history fit to be shown."""
    lengths = np.diff(run.split.train.indptr)
    held_out = (np.diff(run.split.test.indptr) > 0) & (lengths > 0)
    fit = held_out & (lengths >= SHORTEST) & (lengths <= LONGEST)
    rows = np.flatnonzero(fit if fit.any() else held_out)[:LOOKED_AT]
    return rows, lengths[rows]


def _rule(shortest: int, longest: int) -> str:
    return (
        f"For each outcome the first user in the order of the data with {shortest} to {longest} training items; "
        "nobody picked them by hand."
    )
