"""Sampled candidates: the paper's 99 items per user that the user never interacted with."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from irisrec.errors import count_of
from irisrec.notes import Note


def sample_negatives(
    known: csr_matrix, users: np.ndarray, n: int, seed: int, weights: np.ndarray | None = None
) -> tuple[csr_matrix, list[Note]]:
    """Draw ``n`` distinct items per user among those outside ``known``: uniformly, or by weights.

    A user for whom fewer are left gets all of them, and is counted.

    Args:
        known: (n_users, n_items), every item a user ever had: train, validation and test.
        users: rows of the users to draw for; the others' rows stay empty.
        n: items per user.
        seed: of the draw; equal data and seed, equal items.
        weights: (n_items,) positive; items are drawn one after another, each in proportion to its weight among
            those left.

    Returns:
        (n_users, n_items) matrix of ones, and notes.
    """
    rng = np.random.default_rng(seed)
    n_users, n_items = known.shape
    drawn: list[np.ndarray] = [np.empty(0, np.int64)] * n_users
    short = 0
    for user in users:
        had = known.indices[known.indptr[user] : known.indptr[user + 1]]  # ascending
        free = n_items - len(had)
        if weights is None:
            drawn[user] = _uniform(rng, had, free, n)
        else:
            drawn[user] = _weighted(rng, had, free, n, weights)
        short += free < n
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in drawn])])
    indices = np.concatenate(drawn)
    matrix = csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=known.shape)
    sentence = f"{count_of(short, 'user')} with fewer than {n} items outside their history, all of them taken"
    return matrix, [Note.of("few_negatives", short, sentence, warning=True)] if short else []


def _uniform(rng: np.random.Generator, had: np.ndarray, free: int, n: int) -> np.ndarray:
    places = rng.choice(free, size=min(n, free), replace=False, shuffle=False)
    # the r-th item outside a sorted set is r plus the number of its members that come before
    items: np.ndarray = np.sort(places + np.searchsorted(had - np.arange(len(had)), places, side="right"))
    return items


def _weighted(
    rng: np.random.Generator, had: np.ndarray, free: int, n: int, weights: np.ndarray
) -> np.ndarray:
    # the n shortest of exponential waiting times are such a draw (Efraimidis and Spirakis 2006)
    waiting = rng.standard_exponential(len(weights)) / weights
    waiting[had] = np.inf
    size = min(n, free)
    if not size:
        return np.empty(0, np.int64)
    items: np.ndarray = np.sort(np.argpartition(waiting, size - 1)[:size])
    return items
