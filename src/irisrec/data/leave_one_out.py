"""Leave-one-out: one interaction of each user for test, one more for validation, the others for training."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.keys import pair_keys
from irisrec.data.split import Split
from irisrec.errors import DataError, count_of
from irisrec.notes import Note

Order = Literal["random", "last"]


def leave_one_out(
    dataset: Dataset,
    test: Order,
    validation: Order | None,
    seed: int = 0,
) -> Split:
    """Hold out one interaction of each user for test and, from what remains, one for validation.

    A user keeps at least one interaction for training: with one, nothing is held out; with two, only the test's.

    Random: every pair of ids gets a number from ids and seed alone, and the pair with the largest is held out; a
    user's target does not depend on the order of the rows or on who else is in the data.
    Last: by time; of two interactions at one time the later row of the source counts as later.
    """
    users = dataset.user_index
    size = np.bincount(users, minlength=dataset.n_users)
    in_test = _last_of_each(users, held_out_keys(dataset, test, seed, "test")) & (size[users] >= 2)
    in_validation = np.zeros(len(users), bool)
    if validation is not None:
        rest = np.flatnonzero(~in_test)
        chosen = _last_of_each(users[rest], held_out_keys(dataset, validation, seed, "validation")[rest])
        in_validation[rest] = chosen & (size[users[rest]] >= 3)
    shape = (dataset.n_users, dataset.n_items)
    train, validation_part, test_part = (
        pairs_matrix(users[rows], dataset.item_index[rows], shape)
        for rows in (~(in_test | in_validation), in_validation, in_test)
    )
    return Split(
        train, validation_part, test_part, notes=tuple(_too_few(dataset, size, validation is not None))
    )


def hold_out_validation(
    dataset: Dataset, train: csr_matrix, strategy: Order, seed: int
) -> tuple[csr_matrix, csr_matrix, list[Note]]:
    """Take one interaction of each user with at least two out of a training matrix; return train, validation."""
    kept = np.asarray(train[dataset.user_index, dataset.item_index]).ravel() > 0
    users, items = dataset.user_index[kept], dataset.item_index[kept]
    size = np.bincount(users, minlength=dataset.n_users)
    chosen = _last_of_each(users, held_out_keys(dataset, strategy, seed, "validation")[kept]) & (
        size[users] >= 2
    )
    validation = pairs_matrix(users[chosen], items[chosen], train.shape)
    remaining = train - validation
    remaining.eliminate_zeros()
    notes = users_note(dataset, size == 1, "users_without_validation", "without a validation target")
    return remaining, validation, notes


def held_out_keys(dataset: Dataset, strategy: Order, seed: int, use: str) -> NDArray[np.generic]:
    """Return one number per interaction, the largest of a user being held out first."""
    return pair_keys(dataset, f"{use} {seed}") if strategy == "random" else known_times(dataset, "last")


def known_times(dataset: Dataset, use: str) -> NDArray[np.generic]:
    """Return the time of every interaction as a number; ``use`` names the split that needs it."""
    if dataset.times is None:
        raise DataError(f"the split {use!r} needs times, the interactions have none; set data.columns.time")
    times = dataset.times.fill_nan(None) if dataset.times.dtype.is_float() else dataset.times
    if nulls := times.null_count():
        raise DataError(
            f"the split {use!r} needs the time of every interaction, {nulls:,} of {len(times):,} have none; "
            "use split.strategy = 'random'"
        )
    return times.to_physical().to_numpy()


def _last_of_each(users: NDArray[np.int64], keys: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Mark the row of each user with the largest key; of equal ones the last."""
    marks = np.zeros(len(users), bool)
    if not len(users):
        return marks
    order = np.argsort(users, kind="stable")
    users, keys = users[order], keys[order]
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    largest = np.maximum.reduceat(keys, starts)
    rows = np.flatnonzero(keys == np.repeat(largest, np.diff(starts, append=len(users))))
    last = np.diff(users[rows], append=-1) != 0
    marks[order[rows[last]]] = True
    return marks


def _too_few(dataset: Dataset, size: NDArray[np.int64], validation: bool) -> list[Note]:
    notes = users_note(
        dataset, size == 1, "users_in_train_only", "with one interaction kept for training only"
    )
    if validation:
        notes += users_note(
            dataset, size == 2, "users_without_validation", "with two interactions without validation"
        )
    return notes


def users_note(dataset: Dataset, which: NDArray[np.bool_], kind: str, what: str) -> list[Note]:
    """Count the marked users, for a note; nothing where there are none."""
    if not which.any():
        return []
    rows = np.flatnonzero(which)
    sentence = f"{count_of(len(rows), 'user')} of {dataset.n_users:,} {what}"
    return [Note.of(kind, len(rows), sentence, dataset.users.ids(rows[:3]))]
