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

EVERY = "every-item"
Ints = NDArray[np.int64]
_NO_SCORES = np.empty(0, np.float32)
_COMPARED = 1 << 26  # scores that targets are compared with at once: 64 MB of booleans


@dataclass(frozen=True)
class Ranks:
    """Ranks of all targets, 1 = first; ties count against the target, and of tied targets of one user the first leads.

    The targets of a user are ranked together: each has its own place.

    Attributes:
        owners: (T,) row of the user each target belongs to.
        items: (T,) item row of each target.
        ranks: {protocol: (T,) ranks}.
        n_candidates: {protocol: (T,) how many items were ranked, the targets of the user included}.
        scores: (T,) of the targets.
        users: (U,) rows of the users with targets, ascending.
        top: (U, K) item rows in the first places of the full ranking, -1 where candidates are fewer.
        candidate_scores: {protocol: (C,) scores of the users' sampled candidates, user after user}.
    """

    owners: Ints
    items: Ints
    ranks: dict[str, Ints]
    n_candidates: dict[str, Ints]
    scores: NDArray[np.float32]
    users: Ints
    top: Ints
    candidate_scores: dict[str, NDArray[np.float32]]


def rank_targets(
    model: Scorer,
    histories: csr_matrix,
    targets: csr_matrix,
    masked: csr_matrix,
    sampled: dict[str, csr_matrix],
    batch_users: int = 1024,
    top: int = 0,
    among: NDArray[np.bool_] | None = None,
) -> Ranks:
    """Rank every target under the protocol ``full`` and under each of ``sampled``.

    Where only some items are candidates, it is ranked among all items as well, the protocol ``every-item``.

    Args:
        model: scores users given as histories.
        histories: (n_users, n_items), what each user is known by.
        targets: (n_users, n_items), what was held out; users without targets are not scored.
        masked: (n_users, n_items), items that are no candidates in the full ranking (never a target).
        sampled: {protocol: (n_users, n_items) candidates to rank each target among}.
        batch_users: users scored at once.
        top: K, how many of the first places of the full ranking are kept.
        among: (n_items,) the items that are candidates in the full ranking, all where not given.
    """
    users = np.flatnonzero(np.diff(targets.indptr))
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    names = ("full", *sampled) if among is None else ("full", EVERY, *sampled)
    parts: dict[str, list[Ints]] = {name: [] for name in names}
    sizes: dict[str, list[Ints]] = {name: [] for name in names}
    drawn: dict[str, list[NDArray[np.float32]]] = {name: [_NO_SCORES] for name in sampled}
    lists, owns = [np.empty((0, min(top, targets.shape[1])), np.int64)], [_NO_SCORES]
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
        owns.append(own.float().numpy())
        places, tied_after = _among_own(at, own)
        for name, candidates in sampled.items():
            others, n = _among(scores, candidates[rows], at, own)
            parts[name].append(others + places)
            sizes[name].append(n + np.bincount(at, minlength=len(rows))[at])
            drawn[name].append(_scores_of(scores, candidates[rows]))
        scores = _masked(scores, masked[rows])
        if among is not None:
            ranks, n = _among_all(scores, at, own)
            parts[EVERY].append(ranks - tied_after)
            sizes[EVERY].append(n)
            scores[:, torch.from_numpy(~among)] = -torch.inf
        ranks, n = _among_all(scores, at, own)
        lists.append(_first(scores, top))
        parts["full"].append(ranks - tied_after)
        sizes["full"].append(n)
    kept = targets[users]
    return Ranks(
        owners=np.repeat(users, np.diff(kept.indptr)),
        items=kept.indices.astype(np.int64),
        ranks={name: np.concatenate([*ranks, np.empty(0, np.int64)]) for name, ranks in parts.items()},
        n_candidates={name: np.concatenate([*n, np.empty(0, np.int64)]) for name, n in sizes.items()},
        scores=np.concatenate(owns),
        users=users,
        top=np.concatenate(lists),
        candidate_scores={name: np.concatenate(values) for name, values in drawn.items()},
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


def _masked(scores: Tensor, masked: csr_matrix) -> Tensor:
    """Return (b, N) scores, -inf for what is masked."""
    scores = scores.clone()  # a model may have given rows that share memory
    rows = torch.from_numpy(np.repeat(np.arange(len(scores)), np.diff(masked.indptr)))
    scores[rows, torch.from_numpy(masked.indices.astype(np.int64))] = -torch.inf
    return scores


def _first(scores: Tensor, top: int) -> Ints:
    """Return the item rows of the (b, K) highest scores, best first, -1 for masked ones."""
    best = scores.topk(min(top, scores.shape[1]), dim=1)
    return torch.where(torch.isneginf(best.values), -1, best.indices).numpy()


def _scores_of(scores: Tensor, candidates: csr_matrix) -> NDArray[np.float32]:
    rows = torch.from_numpy(np.repeat(np.arange(len(scores)), np.diff(candidates.indptr)))
    values: NDArray[np.float32] = (
        scores[rows, torch.from_numpy(candidates.indices.astype(np.int64))].float().numpy()
    )
    return values


def _among_all(scores: Tensor, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Count, among all items but the masked, those that score as high: the target itself and its like included."""
    step = max(1, _COMPARED // max(scores.shape[1], 1))
    parts = [  # a part at a time: users with many targets would take many copies of their scores
        (scores[at[start : start + step]] >= own[start : start + step, None]).sum(1)
        for start in range(0, len(at), step)
    ]
    n_candidates = (~torch.isneginf(scores)).sum(1)
    return torch.cat(parts).numpy(), n_candidates[at].numpy()


def _among(scores: Tensor, candidates: csr_matrix, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Count the user's sampled candidates that score as high as the target, and all of them."""
    listed = candidates[at.numpy()]  # one row of candidates per target
    target = np.repeat(np.arange(len(at)), np.diff(listed.indptr))
    values = scores[at[torch.from_numpy(target)], torch.from_numpy(listed.indices.astype(np.int64))]
    better = values >= own[torch.from_numpy(target)]
    counts = np.bincount(target, weights=better.numpy(), minlength=len(at)).astype(np.int64)
    return counts, np.diff(listed.indptr).astype(np.int64)
