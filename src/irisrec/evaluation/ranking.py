"""Where the targets stand among their candidates: all items, and sampled ones, in one pass over the scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.errors import ModelError
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

Ints = NDArray[np.int64]
_AT_ONCE = 1024  # targets compared with a whole row of scores at once


@dataclass(frozen=True)
class Ranks:
    """Ranks of all targets, 1 = first; ties count against the target, and of tied targets of one user the first leads.

    The targets of a user are ranked together: each has its own place.

    Attributes:
        owners: (T,) row of the user each target belongs to.
        items: (T,) item row of each target.
        ranks: {protocol: (T,) ranks}.
        n_candidates: {protocol: (T,) how many items were ranked, the targets of the user included}.
    """

    owners: Ints
    items: Ints
    ranks: dict[str, Ints]
    n_candidates: dict[str, Ints]


def rank_targets(
    model: Scorer,
    histories: csr_matrix,
    targets: csr_matrix,
    masked: csr_matrix,
    sampled: dict[str, csr_matrix],
    batch_users: int = 1024,
) -> Ranks:
    """Rank every target under the protocol ``full`` and under each of ``sampled``.

    Args:
        model: scores users given as histories.
        histories: (n_users, n_items), what each user is known by.
        targets: (n_users, n_items), what was held out; users without targets are not scored.
        masked: (n_users, n_items), items that are no candidates in the full ranking (never a target).
        sampled: {protocol: (n_users, n_items) candidates to rank each target among}.
        batch_users: users scored at once.
    """
    users = np.flatnonzero(np.diff(targets.indptr))
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    parts: dict[str, list[Ints]] = {name: [] for name in ("full", *sampled)}
    sizes: dict[str, list[Ints]] = {name: [] for name in ("full", *sampled)}
    start = 0
    for block in model.rank_scores(Histories.from_matrix(histories, users).to(device), batch_users):
        rows = users[start : start + len(block)]
        start += len(block)
        scores = block.cpu()
        if not bool(torch.isfinite(scores).all()):
            raise ModelError("the model gave scores that are not finite; it cannot be ranked by them")
        wanted = targets[rows]
        at = torch.from_numpy(np.repeat(np.arange(len(rows)), np.diff(wanted.indptr)))
        own = scores[at, torch.from_numpy(wanted.indices.astype(np.int64))]  # (T,) scores of the targets
        places, tied_after = _among_own(at, own)
        for name, candidates in sampled.items():
            others, n = _among(scores, candidates[rows], at, own)
            parts[name].append(others + places)
            sizes[name].append(n + np.bincount(at, minlength=len(rows))[at])
        ranks, n = _among_all(scores, masked[rows], at, own)
        parts["full"].append(ranks - tied_after)
        sizes["full"].append(n)
    kept = targets[users]
    return Ranks(
        owners=np.repeat(users, np.diff(kept.indptr)),
        items=kept.indices.astype(np.int64),
        ranks={name: np.concatenate([*ranks, np.empty(0, np.int64)]) for name, ranks in parts.items()},
        n_candidates={name: np.concatenate([*n, np.empty(0, np.int64)]) for name, n in sizes.items()},
    )


def _among_own(at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Return each target's place among its user's targets, and how many of equal score come after it."""
    owners, scores = at.numpy(), own.double().numpy()
    order = np.lexsort((-scores, owners))  # stable: of equal scores the first leads
    places, after = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    users = np.flatnonzero(np.diff(owners[order], prepend=-1))
    places[order] = np.arange(len(order)) - np.repeat(users, np.diff(users, append=len(order))) + 1
    is_new = (np.diff(owners[order], prepend=-1) != 0) | (np.diff(scores[order], prepend=np.nan) != 0)
    ties = np.flatnonzero(is_new)
    ends = np.repeat(np.append(ties[1:], len(order)), np.diff(ties, append=len(order)))
    after[order] = ends - np.arange(len(order)) - 1
    return places, after


def _among_all(scores: Tensor, masked: csr_matrix, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Count, among all items but the masked, those that score as high: the target itself and its like included."""
    rows = torch.from_numpy(np.repeat(np.arange(len(scores)), np.diff(masked.indptr)))
    scores = scores.clone()  # a model may have given rows that share memory
    scores[rows, torch.from_numpy(masked.indices.astype(np.int64))] = -torch.inf
    parts = [  # a part at a time: users with many targets would take many copies of their scores
        (scores[at[start : start + _AT_ONCE]] >= own[start : start + _AT_ONCE, None]).sum(1)
        for start in range(0, len(at), _AT_ONCE)
    ]
    n_masked = torch.from_numpy(np.diff(masked.indptr).astype(np.int64))
    return torch.cat(parts).numpy(), (scores.shape[1] - n_masked[at]).numpy()


def _among(scores: Tensor, candidates: csr_matrix, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Count the user's sampled candidates that score as high as the target, and all of them."""
    listed = candidates[at.numpy()]  # one row of candidates per target
    target = np.repeat(np.arange(len(at)), np.diff(listed.indptr))
    values = scores[at[torch.from_numpy(target)], torch.from_numpy(listed.indices.astype(np.int64))]
    better = values >= own[torch.from_numpy(target)]
    counts = np.bincount(target, weights=better.numpy(), minlength=len(at)).astype(np.int64)
    return counts, np.diff(listed.indptr).astype(np.int64)
