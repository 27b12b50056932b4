"""Negatives: which items count as not wanted, and how often, drawn or as the exact expectation of drawing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.models.histories import Histories


class Draws(NamedTuple):
    """Drawn negatives.

    Attributes:
        rows: (n,) row of the batch each was drawn for, ascending; of a user's draws the first K belong to the first
            positive, the next K to the second.
        columns: (n,) the items.
    """

    rows: Tensor
    columns: Tensor


class Shared(NamedTuple):
    """Candidates that users share.

    Attributes:
        columns: (C,) item rows, ascending.
        stands_for: (C,) how many items each stands for: 1 for what one of the users had, for others the inverse of how
            often a sample has them on average, times how often this one has them.
    """

    columns: Tensor
    stands_for: Tensor

    def joined(self, histories: Histories) -> Shared:
        """Return these candidates and all items that the users had."""
        had = histories.distinct
        places = torch.searchsorted(had, self.columns).clamp(max=max(len(had) - 1, 0))
        others = had[places] != self.columns if len(had) else torch.ones_like(self.columns, dtype=torch.bool)
        columns, order = torch.cat([had, self.columns[others]]).sort()
        weights = torch.cat([self.stands_for.new_ones(len(had)), self.stands_for[others]])
        return Shared(columns, weights[order])


def draw_chances(train: csr_matrix, kind: str, without: NDArray[np.bool_] | None = None) -> Tensor:
    """Return (N,) how likely each item is to be drawn as a negative, up to a factor: evenly or by popularity.

    One interaction is added to every popularity, so that no item is never seen as a negative, but those of
    ``without`` (N,).
    """
    popularity = np.bincount(train.indices, minlength=train.shape[1])
    chances = np.ones(train.shape[1]) if kind == "uniform" else 1.0 + popularity
    return torch.from_numpy(chances if without is None else np.where(without, 0.0, chances)).float()


def expected_counts(positive: Tensor, n_negatives: int, chances: Tensor) -> Tensor:
    """Return (B, N): how often each item is drawn on average, ``K |H| c_j / Σ_{x ∉ H} c_x``, 0 for positives.

    K draws per positive, outside the history. Weighting every negative by its expected count makes a loss the exact
    expectation of the sampled one, without its noise.
    """
    free = torch.where(positive, 0.0, chances)
    total = free.sum(1, keepdim=True)
    wanted = n_negatives * positive.sum(1, keepdim=True)
    return free * (wanted / torch.where(total > 0, total, 1.0))


def draw_shared(n: int, chances: Tensor, generator: torch.Generator) -> Shared:
    """Draw ``n`` items by their chances, with replacement."""
    ends = chances.double().cumsum(0)
    total = ends[-1]
    places = torch.rand(n, generator=generator, dtype=torch.float64).to(ends.device) * total
    found = torch.searchsorted(ends, places.minimum(torch.nextafter(total, ends.new_zeros(()))), right=True)
    columns, times = torch.unique(found, return_counts=True)
    stands_for = times * total / (n * chances[columns].double())
    return Shared(columns, stands_for.to(chances.dtype))


def expected_counts_of_some(
    histories: Histories, columns: Tensor, n_negatives: int, chances: Tensor, stands_for: Tensor | None = None
) -> Tensor:
    """Return the columns (C,) of `expected_counts`, from histories and not from a table of all items.

    Each column counts as many times as items it stands for (C,), once if None.
    """
    taken = chances.new_zeros(len(histories), dtype=torch.float64)
    taken.index_add_(0, histories.owners, chances[histories.items].double())
    free = chances.double().sum() - taken
    wanted = n_negatives * histories.lengths
    scale = torch.where(free > 1e-9 * taken, wanted / free, 0.0)
    of_columns = chances[columns] if stands_for is None else chances[columns] * stands_for
    counts = scale[:, None].to(chances.dtype) * of_columns
    counts[histories.places(columns)] = 0.0
    return counts


def draw(positive: Tensor, n_negatives: int, chances: Tensor, generator: torch.Generator) -> Draws:
    """Draw K items per positive, with replacement, from those outside the history, by their chances."""
    free = torch.where(positive, 0.0, chances.double())
    ends = free.flatten().cumsum(0)  # one line for all users, each with a stretch of it
    stops = ends[positive.shape[1] - 1 :: positive.shape[1]]
    starts = torch.cat([stops.new_zeros(1), stops[:-1]])
    n_draws = torch.where(stops > starts, positive.sum(1) * n_negatives, 0)
    rows = torch.repeat_interleave(torch.arange(len(positive), device=positive.device), n_draws)
    uniform = torch.rand(len(rows), generator=generator, dtype=torch.float64).to(positive.device)
    places = starts[rows] + uniform * (stops - starts)[rows]
    places = places.minimum(torch.nextafter(stops, starts)[rows])  # rounding must not reach the next user
    columns = torch.searchsorted(ends, places, right=True) - rows * positive.shape[1]
    return Draws(rows, columns)


def counts(draws: Draws, like: Tensor) -> Tensor:
    """Return (B, N) how often each item was drawn."""
    ones = torch.ones(len(draws.rows), device=like.device)
    return torch.zeros(like.shape, device=like.device).index_put_(tuple(draws), ones, accumulate=True)


def counts_among(positive: Tensor, weights: Tensor, items: Tensor | None) -> tuple[Tensor, Tensor]:
    """Leave positives (B, N) and counts of negatives (B, N) to some items (N,) alone, all if None.

    A positive keeps the negatives that it had among them.
    """
    if items is None:
        return positive, weights
    ours = positive & items
    share = ours.sum(1, keepdim=True) / positive.sum(1, keepdim=True).clamp(min=1)
    return ours, weights * items * share


def pairs_among(
    positives: tuple[Tensor, Tensor], negatives: Tensor, items: Tensor | None
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Leave those pairs (n,) whose positive and negative are among some items (N,), all if None."""
    if items is None:
        return positives, negatives
    rows, columns = positives
    kept = items[columns] & items[negatives]
    return (rows[kept], columns[kept]), negatives[kept]
