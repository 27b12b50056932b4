"""Splits from files that the user brings: test pairs, and optionally validation pairs and negatives."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from irisrec.data.config import SplitConfig, TableFile
from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.leave_one_out import hold_out_validation
from irisrec.data.sources.ncf import original_ids, read_negatives, read_pairs
from irisrec.data.sources.reading import read_table
from irisrec.data.sources.values import read_ids
from irisrec.data.split import Split
from irisrec.errors import DataError, count_of
from irisrec.ids import IdMap
from irisrec.notes import Note


def split_by_files(dataset: Dataset, config: SplitConfig, root: Path) -> Split:
    """Hold out the pairs of files; what is neither test nor validation is for training.

    Pairs of unknown users or items are left out and counted. A test pair need not be among the interactions of the
    data. Of a pair that is in both files, test has precedence. A negative that is a test target of the same user
    is dropped and counted; one that the user had before is kept and counted.
    """
    assert config.test is not None
    test, notes = _pairs(dataset, config, config.test, "test", root)
    train = _without(dataset.matrix, test)
    validation = csr_matrix(train.shape, dtype=np.float32)
    if config.validation_pairs is not None:
        validation, more = _pairs(dataset, config, config.validation_pairs, "validation_pairs", root)
        notes += more
        if n_shared := validation.multiply(test).nnz:
            sentence = f"{count_of(n_shared, 'validation pair')} dropped, a test pair as well"
            notes.append(Note.of("validation_in_test", n_shared, sentence, warning=True))
            validation = _without(validation, test)
        train = _without(train, validation)
    elif (strategy := config.validation_strategy) is not None:
        train, validation, more = hold_out_validation(dataset, train, strategy, config.seed)
        notes += more
    notes += _without_history(dataset, train, test)
    negatives = None
    if config.negatives is not None:
        negatives, more = _negatives(dataset, config, config.negatives, test, train + validation, root)
        notes += more
    return Split(train, validation, test, negatives, tuple(notes))


Use = Literal["test", "validation_pairs", "negatives"]


def _pairs(
    dataset: Dataset, config: SplitConfig, file: TableFile, use: Use, root: Path
) -> tuple[csr_matrix, list[Note]]:
    """Read pairs as a matrix over the users and items of the data, and say what does not fit."""
    frame, name = _frame(dataset, config, file, use, root), Path(file.path).name
    rows = dataset.users.lookup(frame["user_id"])
    columns = dataset.items.lookup(frame["item_id"])
    known = (rows >= 0) & (columns >= 0)
    n_unknown = int((~known).sum())
    examples = frame.filter(pl.Series(~known)).head(3).select("user_id", "item_id").rows()
    if n_unknown == len(frame):
        raise DataError(
            f"none of the {len(frame):,} pairs of {name} has a user and an item of the data, the first is "
            f"{examples[0]}; ids there are such as {(dataset.users.ids([0])[0], dataset.items.ids([0])[0])}"
        )
    matrix = pairs_matrix(rows[known], columns[known], (dataset.n_users, dataset.n_items))
    notes = []
    if n_unknown:
        sentence = (
            f"{count_of(n_unknown, 'pair')} of {len(frame):,} of {name} left out, of an unknown user or item"
        )
        notes.append(Note.of(f"unknown_{use}", n_unknown, sentence, examples, warning=True))
    if n_repeated := len(frame) - n_unknown - matrix.nnz:
        sentence = f"{count_of(n_repeated, 'repeated pair')} of {name} counted once"
        notes.append(Note.of(f"repeated_{use}", n_repeated, sentence))
    if use != "negatives" and (n_new := matrix.nnz - matrix.multiply(dataset.matrix).nnz):
        sentence = f"{count_of(n_new, 'pair')} of {name} not among the interactions: targets all the same"
        notes.append(Note.of(f"new_{use}", n_new, sentence))
    return matrix, notes


def _frame(dataset: Dataset, config: SplitConfig, file: TableFile, use: Use, root: Path) -> pl.DataFrame:
    option = f"split.{use}"
    if config.format == "ncf":
        read = read_negatives if use == "negatives" else read_pairs
        frame = original_ids(read(root, file, option), root, config.item_map, config.user_offset, "split")
        return frame.with_columns(
            _as_kind(frame["user_id"], dataset.users), _as_kind(frame["item_id"], dataset.items)
        )
    table = read_table(root, file, option)
    users, items = table.column(config.user, "split.user"), table.column(config.item, "split.item")
    (user_ids,), _ = read_ids([(table, users)], dataset.users.kind, "user")
    (item_ids,), _ = read_ids([(table, items)], dataset.items.kind, "item")
    return pl.DataFrame({"user_id": user_ids, "item_id": item_ids})


def _as_kind(ids: pl.Series, known: IdMap) -> pl.Series:
    return ids.cast(pl.String) if known.kind == "string" else ids


def _negatives(
    dataset: Dataset,
    config: SplitConfig,
    file: TableFile,
    test: csr_matrix,
    history: csr_matrix,
    root: Path,
) -> tuple[csr_matrix, list[Note]]:
    negatives, notes = _pairs(dataset, config, file, "negatives", root)
    faulty = negatives.multiply(test).tocsr()
    if faulty.nnz:
        sentence = (
            f"{count_of(faulty.nnz, 'negative')} of {count_of(len(np.unique(faulty.nonzero()[0])), 'user')} dropped, "
            "a test target of the same user"
        )
        notes.append(
            Note.of("negatives_are_targets", faulty.nnz, sentence, _ids(dataset, faulty), warning=True)
        )
        negatives = _without(negatives, faulty)
    seen = negatives.multiply(history).tocsr()
    if seen.nnz:
        sentence = f"{count_of(seen.nnz, 'negative')} among the user's other interactions: kept"
        notes.append(Note.of("negatives_in_history", seen.nnz, sentence, _ids(dataset, seen), warning=True))
    lacking = np.flatnonzero((np.diff(test.indptr) > 0) & (np.diff(negatives.indptr) == 0))
    if len(lacking):
        sentence = f"{count_of(len(lacking), 'user')} with a test target without any negative"
        notes.append(
            Note.of(
                "users_without_negatives",
                len(lacking),
                sentence,
                dataset.users.ids(lacking[:3]),
                warning=True,
            )
        )
    return negatives, notes


def _without_history(dataset: Dataset, train: csr_matrix, test: csr_matrix) -> list[Note]:
    empty = np.flatnonzero((np.diff(test.indptr) > 0) & (np.diff(train.indptr) == 0))
    if not len(empty):
        return []
    sentence = f"{count_of(len(empty), 'user')} with a test target without any interaction left for training"
    return [
        Note.of("users_without_history", len(empty), sentence, dataset.users.ids(empty[:3]), warning=True)
    ]


def _without(matrix: csr_matrix, pairs: csr_matrix) -> csr_matrix:
    """Return a matrix of ones less the pairs of another."""
    left = (matrix - matrix.multiply(pairs)).tocsr()
    left.eliminate_zeros()
    left.sort_indices()
    return left


def _ids(dataset: Dataset, pairs: csr_matrix) -> list[tuple[object, object]]:
    rows, columns = (index[:3] for index in pairs.nonzero())
    return list(zip(dataset.users.ids(rows), dataset.items.ids(columns), strict=True))
