"""Splits by shares: of each user's interactions, in k parts of them, or of all interactions by time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.keys import pair_keys
from irisrec.data.leave_one_out import Order, held_out_keys, hold_out_validation, known_times, users_note
from irisrec.data.split import Split
from irisrec.errors import DataError, count_of
from irisrec.notes import Note

Mask = NDArray[np.bool_]


def split_by_ratio(dataset: Dataset, test: float, validation: float, order: Order, seed: int) -> Split:
    """Hold out a share of each user's interactions, rounded; every user keeps one for training.

    ``order`` says which: at random, by ids and seed alone, or the last in time.
    """
    users = dataset.user_index
    size = np.bincount(users, minlength=dataset.n_users)
    place = places_from_the_end(users, held_out_keys(dataset, order, seed, "ratio"))
    n_test = np.minimum(np.rint(size * test), size - 1).astype(np.int64)
    n_validation = np.minimum(np.rint(size * validation), size - 1 - n_test).astype(np.int64)
    in_test = place < n_test[users]
    in_validation = ~in_test & (place < (n_test + n_validation)[users])
    notes = users_note(
        dataset, n_test == 0, "users_in_train_only", "with too few interactions for a test target"
    )
    if validation:
        notes += users_note(
            dataset, n_validation == 0, "users_without_validation", "with too few for a validation target"
        )
    return split_of(dataset, in_validation, in_test, notes)


def split_by_fold(dataset: Dataset, folds: int, fold: int, validation: Order | None, seed: int) -> Split:
    """Hold out one of k parts of the interactions, of each user an equal share; every interaction is in one part.

    A user with a single interaction is for training in every fold. Validation takes one more of each user.
    """
    users = dataset.user_index
    order = np.lexsort((pair_keys(dataset, f"fold {seed}"), users))
    part = np.empty(len(users), np.int64)
    part[order] = np.arange(len(users)) % folds  # user after user: the parts of each are as equal as can be
    size = np.bincount(users, minlength=dataset.n_users)
    in_test = (part == fold) & (size[users] >= 2)
    notes = users_note(
        dataset, size == 1, "users_in_train_only", "with one interaction kept for training only"
    )
    split = split_of(dataset, np.zeros(len(users), bool), in_test, notes)
    if validation is None:
        return split
    train, held_out, more = hold_out_validation(dataset, split.train, validation, seed)
    return Split(train, held_out, split.test, notes=(*notes, *more))


def split_by_time(dataset: Dataset, test: float, validation: float) -> Split:
    """Train on what came first, validate on what came then, test on what came last.

    The moments are those by which the shares of all interactions have happened; equal times are never parted, and
    fall to the earlier side. Targets of users or items that training has not seen are kept and counted.
    """
    times = known_times(dataset, "time")
    ordered = np.sort(times)
    last = len(ordered) - 1
    end_of_validation = ordered[min(int(len(ordered) * (1 - test)), last)]
    end_of_train = ordered[min(int(len(ordered) * (1 - test - validation)), last)]
    in_test = times > end_of_validation
    in_validation = ~in_test & (times > end_of_train) if validation else np.zeros(len(times), bool)
    if not in_test.any():
        share = float((times == ordered[-1]).mean())
        raise DataError(
            f"the split 'time' finds no interaction after the moment by which {1 - test:.0%} had happened: "
            f"{share:.1%} share the last time; {'set split.test_share above that, or ' if share < 1 else ''}use "
            "split.strategy = 'random'"
        )
    split = split_of(dataset, in_validation, in_test, [])
    return Split(split.train, split.validation, split.test, notes=tuple(_unseen(dataset, split)))


def places_from_the_end(users: NDArray[np.int64], keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return the place of each interaction among its user's, 0 for the largest key; of equal ones the later row."""
    order = np.lexsort((np.arange(len(users)), keys, users))
    size = np.bincount(users)
    ends = np.cumsum(size)[users[order]]
    places = np.empty(len(users), np.int64)
    places[order] = ends - 1 - np.arange(len(users))
    return places


def split_of(dataset: Dataset, in_validation: Mask, in_test: Mask, notes: list[Note]) -> Split:
    """Build a split from marks on the interactions; what is not marked is for training."""
    shape = (dataset.n_users, dataset.n_items)
    train, validation, test = (
        pairs_matrix(dataset.user_index[rows], dataset.item_index[rows], shape)
        for rows in (~(in_validation | in_test), in_validation, in_test)
    )
    return Split(train, validation, test, notes=tuple(notes))


def _unseen(dataset: Dataset, split: Split) -> list[Note]:
    has_target, has_history = (np.diff(part.indptr) > 0 for part in (split.test, split.train))
    notes = users_note(
        dataset,
        has_target & ~has_history,
        "users_unseen_in_training",
        "with a test target unseen in training",
    )
    seen = np.bincount(split.train.indices, minlength=dataset.n_items) > 0
    wanted = np.bincount(split.test.indices, minlength=dataset.n_items)
    if len(rows := np.flatnonzero((wanted > 0) & ~seen)):
        targets = count_of(int(wanted[rows].sum()), "test target")
        sentence = f"{count_of(len(rows), 'item')} with {targets} unseen in training"
        notes.append(Note.of("items_unseen_in_training", len(rows), sentence, dataset.items.ids(rows[:3])))
    return notes
