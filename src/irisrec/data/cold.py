"""Cold splits: users or items that training never sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.keys import id_keys, pair_keys
from irisrec.data.leave_one_out import users_note
from irisrec.data.split import Split
from irisrec.data.split_shares import places_from_the_end, split_of
from irisrec.errors import DataError, count_of
from irisrec.ids import IdMap
from irisrec.notes import Note

Mask = NDArray[np.bool_]


def split_cold_users(dataset: Dataset, test: float, validation: float, known: float, seed: int) -> Split:
    """Hold out whole users, by ids and seed alone; nothing of them is learned from.

    When judged, such a user is known by a share of the interactions, at least one, and the others, at least one, are
    targets. A user with a single interaction stays in training.
    """
    users = dataset.user_index
    size = np.bincount(users, minlength=dataset.n_users)
    test_users, validation_users = _draw(
        dataset.users, size >= 2, test, validation, f"cold users {seed}", "user"
    )
    place = places_from_the_end(users, pair_keys(dataset, f"known {seed}"))
    n_targets = np.clip(np.rint(size * (1 - known)), 1, np.maximum(size - 1, 1)).astype(np.int64)
    is_target = place < n_targets[users]
    is_cold = (test_users | validation_users)[users]
    in_test, in_validation = is_target & test_users[users], is_target & validation_users[users]
    shape = (dataset.n_users, dataset.n_items)
    train, histories, validation_part, test_part = (
        pairs_matrix(users[rows], dataset.item_index[rows], shape)
        for rows in (~is_cold, ~(in_test | in_validation), in_validation, in_test)
    )
    notes = [_held_out("cold_users", test_users, validation_users, "user", dataset.users)]
    notes += users_note(
        dataset, size == 1, "users_in_train_only", "with one interaction kept for training only"
    )
    return Split(train, validation_part, test_part, histories=histories, notes=tuple(notes))


def split_cold_items(dataset: Dataset, test: float, validation: float, seed: int) -> Split:
    """Hold out whole items, by ids and seed alone; they are ranked among themselves.

    Only content can tell them apart: a model that learns something for each item by its id knows nothing of them.
    """
    n_had = np.bincount(dataset.item_index, minlength=dataset.n_items)
    test_items, validation_items = _draw(
        dataset.items, n_had > 0, test, validation, f"cold items {seed}", "item"
    )
    split = split_of(dataset, validation_items[dataset.item_index], test_items[dataset.item_index], [])
    notes = [_held_out("cold_items", test_items, validation_items, "item", dataset.items)]
    alone = (np.diff(split.test.indptr) > 0) & (np.diff(split.train.indptr) == 0)
    notes += users_note(
        dataset, alone, "users_without_history", "with a test target without any training interaction"
    )
    candidates = {"test": test_items, "validation": validation_items}
    return Split(split.train, split.validation, split.test, candidates=candidates, notes=tuple(notes))


def _draw(ids: IdMap, may: Mask, test: float, validation: float, seed: str, noun: str) -> tuple[Mask, Mask]:
    """Mark shares of the ids for test and validation, out of those that may be held out."""
    keys = id_keys(ids, seed)
    rows = np.flatnonzero(may)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    n_test = max(1, round(len(rows) * test))
    n_validation = max(1, round(len(rows) * validation)) if validation else 0
    if n_test + n_validation >= len(rows):
        raise DataError(
            f"{count_of(len(rows), noun)} that can be held out are too few for a cold split of {test:.0%} for test "
            f"and {validation:.0%} for validation; lower split.test_share"
        )
    marks = np.zeros((2, len(ids)), bool)
    marks[0, rows[:n_test]] = True
    marks[1, rows[n_test : n_test + n_validation]] = True
    return marks[0], marks[1]


def _held_out(kind: str, test: Mask, validation: Mask, noun: str, ids: IdMap) -> Note:
    sentence = f"{count_of(int(test.sum()), noun)} wholly held out for test, {int(validation.sum()):,} for validation"
    return Note.of(kind, int(test.sum()), sentence, ids.ids(np.flatnonzero(test)[:3]))
