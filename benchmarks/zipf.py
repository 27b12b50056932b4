"""Synthetic interactions of any size: Zipf popularity, long-tailed histories, and tastes that content tells apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix

N_TASTES = 50
SIZES = {  # users, interactions by number of items
    3_685: (6_040, 999_626),  # MovieLens-1M with plots
    23_033: (39_387, 278_677),  # the paper's Amazon clothing
    100_000: (100_000, 1_000_000),
    1_000_000: (200_000, 2_000_000),
}


def interactions(n_users: int, n_items: int, n: int, seed: int = 0, exponent: float = 0.9) -> csr_matrix:
    """Draw about ``n`` distinct pairs: a user has two tastes, an item one, and within a taste a Zipf popularity.

    Item ``i`` has taste ``i mod N_TASTES`` and is the ``i // N_TASTES``-th most popular of it.
    """
    rng = np.random.default_rng(seed)
    n_ranks = -(-n_items // N_TASTES)
    ends = np.cumsum(1 / np.arange(10.0, n_ranks + 10) ** exponent)
    tastes = rng.integers(0, N_TASTES, (n_users, 2))
    shares = rng.lognormal(0, 0.8, n_users)
    found = np.empty(0, np.int64)
    for _ in range(50):
        missing = n - len(found)
        if missing < n / 200:
            break
        users = rng.choice(n_users, int(1.2 * missing) + 1, p=shares / shares.sum())
        ranks = np.searchsorted(ends, rng.random(len(users)) * ends[-1])
        taste = tastes[users, rng.integers(0, 2, len(users))]
        stray = rng.random(len(users)) < 0.2
        taste[stray] = rng.integers(0, N_TASTES, stray.sum())
        items = np.minimum(ranks * N_TASTES + taste, n_items - 1)
        found = np.unique(np.concatenate([found, users * n_items + items]))
    kept = rng.permutation(found)[:n]
    matrix = csr_matrix(
        (np.ones(len(kept), np.float32), (kept // n_items, kept % n_items)), (n_users, n_items)
    )
    matrix.sort_indices()
    return matrix


def on_disk(folder: Path, n_users: int, n_items: int, n: int, at_once: int = 50_000) -> csr_matrix:
    """Draw as `interactions` does for so many users at once, and return a matrix whose pairs stay in files."""
    ends = [np.zeros(1, np.int64)]
    with (folder / "items.int32").open("wb") as items, (folder / "ones.int8").open("wb") as ones:
        for start in range(0, n_users, at_once):
            n_here = min(at_once, n_users - start)
            part = interactions(n_here, n_items, n * n_here // n_users, seed=start)
            part.indices.astype(np.int32).tofile(items)
            np.ones(part.nnz, np.int8).tofile(ones)
            ends.append(ends[-1][-1] + part.indptr[1:].astype(np.int64))
    indptr = np.concatenate(ends)
    indptr = (
        indptr.astype(np.int32) if indptr[-1] < 2**31 else indptr
    )  # of the same kind as the items: no copy then
    found = np.memmap(folder / "items.int32", np.int32, "r"), np.memmap(folder / "ones.int8", np.int8, "r")
    matrix = csr_matrix((n_users, n_items), dtype=np.int8)
    matrix.indices, matrix.data, matrix.indptr = found[0], found[1], indptr
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    return matrix


def features(
    n_items: int, width: int = 32, seed: int = 0
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Draw vectors of two modalities around the middle of each item's taste."""
    generator = torch.Generator().manual_seed(seed)
    taste = torch.arange(n_items) % N_TASTES
    values = {}
    for name in ("image", "text"):
        middles = torch.randn(N_TASTES, width, generator=generator)
        values[name] = middles[taste] + torch.randn(n_items, width, generator=generator)
    return values, {name: torch.ones(n_items, dtype=torch.bool) for name in values}
