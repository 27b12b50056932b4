"""Split: the interactions of a data set in three parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import DataError, count_of
from irisrec.notes import Note

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Split:
    """The interactions of a data set in three parts, and the candidates that a user brought along.

    Attributes:
        train, validation, test: (n_users, n_items) float32 ones, indices sorted, pairwise disjoint; a user may
            have no target or several.
        negatives: (n_users, n_items) float32 ones: the items that each user's test targets are ranked against;
            None where all items are candidates or negatives are sampled.
        histories: (n_users, n_items) float32 ones, what users are known by when they are judged, training items
            included, none of it learned from; None where that is train.
        candidates: {part: (n_items,) bool}, the items that are ranked for a part; a part that is not named has all.
        notes: what was left where, and what was dropped.
    """

    train: csr_matrix
    validation: csr_matrix
    test: csr_matrix
    negatives: csr_matrix | None = None
    notes: tuple[Note, ...] = ()
    histories: csr_matrix | None = None
    candidates: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def known_by(self) -> csr_matrix:
        """(n_users, n_items): what each user is known by when judged."""
        return self.train if self.histories is None else self.histories

    def __post_init__(self) -> None:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, part in parts.items():
            if part.shape != self.train.shape:
                raise DataError(f"{name} must have the shape of train {self.train.shape}, got {part.shape}")
            if (part.data != 1).any():
                raise DataError(f"{name} must hold ones, got values such as {part.data[part.data != 1][0]:g}")
        total = self.train + self.validation + self.test
        if total.nnz and total.data.max() > 1:
            shared = int((total.data > 1).sum())
            raise DataError(
                f"train, validation and test must be disjoint, {count_of(shared, 'pair')} are shared"
            )
        if self.histories is not None and self.histories.multiply(self.validation + self.test).nnz:
            raise DataError("histories must not hold targets of validation or test")
        if not self.train.nnz:
            raise DataError("no interaction is left for training")

    def __str__(self) -> str:
        return (
            f"{count_of(self.train.nnz, 'interaction')} for training, {self.validation.nnz:,} for validation, "
            f"{self.test.nnz:,} for test"
        )
