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


@dataclass(frozen=True)
class Ranks:
    """Ranks of all targets, 1 = first; ties count against the target.

    Attributes:
        owners: (T,) row of the user each target belongs to.
        items: (T,) item row of each target.
        ranks: {protocol: (T,) ranks}.
        n_candidates: {protocol: (T,) how many items were ranked, the target included}.
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
        for name, candidates in sampled.items():
            ranks, n = _among(scores, candidates[rows], at, own)
            parts[name].append(ranks)
            sizes[name].append(n)
        ranks, n = _among_all(scores, masked[rows], at, own)
        parts["full"].append(ranks)
        sizes["full"].append(n)
    kept = targets[users]
    return Ranks(
        owners=np.repeat(users, np.diff(kept.indptr)),
        items=kept.indices.astype(np.int64),
        ranks={name: np.concatenate([*ranks, np.empty(0, np.int64)]) for name, ranks in parts.items()},
        n_candidates={name: np.concatenate([*n, np.empty(0, np.int64)]) for name, n in sizes.items()},
    )


def _among_all(scores: Tensor, masked: csr_matrix, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Rank among all items but the masked."""
    rows = torch.from_numpy(np.repeat(np.arange(len(scores)), np.diff(masked.indptr)))
    scores = scores.clone()  # a model may have given rows that share memory
    scores[rows, torch.from_numpy(masked.indices.astype(np.int64))] = -torch.inf
    better = (scores[at] >= own[:, None]).sum(1) - 1  # the target itself is not better
    n_masked = torch.from_numpy(np.diff(masked.indptr).astype(np.int64))
    return (better + 1).numpy(), (scores.shape[1] - n_masked[at]).numpy()


def _among(scores: Tensor, candidates: csr_matrix, at: Tensor, own: Tensor) -> tuple[Ints, Ints]:
    """Rank among the target itself and the user's sampled candidates."""
    listed = candidates[at.numpy()]  # one row of candidates per target
    target = np.repeat(np.arange(len(at)), np.diff(listed.indptr))
    values = scores[at[torch.from_numpy(target)], torch.from_numpy(listed.indices.astype(np.int64))]
    better = values >= own[torch.from_numpy(target)]
    ranks = 1 + np.bincount(target, weights=better.numpy(), minlength=len(at)).astype(np.int64)
    return ranks, 1 + np.diff(listed.indptr).astype(np.int64)
