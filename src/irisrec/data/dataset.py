"""Dataset: interactions and catalog joined by two id maps, with a record of what was done to get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.filtering import apply_filters
from irisrec.data.filters import Filters
from irisrec.data.fingerprint import fingerprint_of
from irisrec.data.interactions import Interactions
from irisrec.errors import DataError, count_of, some
from irisrec.ids import IdMap
from irisrec.notes import Note

__all__ = ["Dataset", "Filters", "pairs_matrix"]


@dataclass(frozen=True)
class Dataset:
    """Users, items and who had what, in row numbers; ids only at the two maps.

    Attributes:
        users, items: ids outside, row numbers inside.
        user_index, item_index: one entry per interaction, in the order of the source; no pair stands twice.
        times: one entry per interaction, null where unknown; None where the source has none.
        catalog: row ``i`` describes item ``i``.
        notes: what was collapsed, filtered, kept or missing on the way here.
    """

    users: IdMap
    items: IdMap
    user_index: NDArray[np.int64]
    item_index: NDArray[np.int64]
    times: pl.Series | None
    catalog: Catalog
    notes: tuple[Note, ...] = field(default=())

    @classmethod
    def build(
        cls,
        interactions: Interactions,
        catalog: Catalog | None = None,
        filters: Filters | None = None,
        notes: Sequence[Note] = (),
    ) -> Self:
        """Filter, collapse and index.

        Users are numbered as they first appear; items in the order of the catalog, followed by those that only
        interactions know.
        """
        filters = filters or Filters()
        if catalog is not None:
            _check_kinds(catalog.frame["item_id"], interactions.frame["item_id"])
        interactions, catalog, filtered = apply_filters(interactions, catalog, filters)
        frame = interactions.frame
        users = IdMap(frame["user_id"].unique(maintain_order=True), "user")
        items, missing = _number_items(frame["item_id"], catalog, filters.unseen_items)
        if catalog is None:
            catalog = Catalog.of(items.series.alias("item_id").to_frame())
        return cls(
            users=users,
            items=items,
            user_index=users.index(frame["user_id"]),
            item_index=items.index(frame["item_id"]),
            times=frame["time"] if interactions.has_times else None,
            catalog=catalog.aligned(items),
            notes=(*notes, *filtered, *missing),
        )

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items, those without interactions included where they were kept."""
        return len(self.items)

    @property
    def n_interactions(self) -> int:
        """Number of distinct (user, item) pairs."""
        return len(self.user_index)

    @cached_property
    def matrix(self) -> csr_matrix:
        """All interactions as a (n_users, n_items) matrix of float32 ones, indices sorted."""
        return pairs_matrix(self.user_index, self.item_index, (self.n_users, self.n_items))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of ids, interactions, times and catalog: equal data, equal fingerprint, on every machine.

        The format and place of the files do not count; the order of the rows does, since it numbers the users. Of
        pictures only their presence counts, their content belongs to the features.
        """
        return fingerprint_of(
            self.users.series,
            self.items.series,
            self.user_index,
            self.item_index,
            self.times,
            self.catalog.frame,
        )

    def __str__(self) -> str:
        density = self.n_interactions / (self.n_users * self.n_items)
        return (
            f"{count_of(self.n_users, 'user')}, {count_of(self.n_items, 'item')}, "
            f"{count_of(self.n_interactions, 'interaction')} (density {density:.3%})"
        )


def pairs_matrix(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_matrix:
    """Build a matrix of float32 ones from pairs, indices sorted; a pair that stands twice counts once."""
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _check_kinds(known: pl.Series, seen: pl.Series) -> None:
    if known.dtype != seen.dtype:
        raise DataError(
            f"item ids of catalog and interactions must be of one kind, got {known.dtype} ({some(known.head(2))}) "
            f"and {seen.dtype} ({some(seen.head(2))}); set data.id_type to 'string' or 'integer'"
        )


def _number_items(
    ids: pl.Series, catalog: Catalog | None, unseen_items: Literal["drop", "keep"]
) -> tuple[IdMap, list[Note]]:
    seen = ids.unique(maintain_order=True)
    if catalog is None:
        return IdMap(seen, "item"), []
    known, notes = catalog.frame["item_id"], []
    has_interactions = known.is_in(seen.implode())
    if not has_interactions.any():
        raise DataError(
            f"none of the {len(seen):,} items of the interactions is in the catalog of {len(known):,}: interactions "
            f"have ids such as {some(seen.head(2))}, the catalog such as {some(known.head(2))}; "
            "set data.columns.item and data.columns.item_id"
        )
    if n_unseen := int((~has_interactions).sum()):
        what = "left out" if unseen_items == "drop" else "kept as candidates"
        sentence = f"{count_of(n_unseen, 'catalog item')} without any interaction {what}"
        notes.append(Note.of("unseen_items", n_unseen, sentence, known.filter(~has_interactions)))
        if unseen_items == "drop":
            known = known.filter(has_interactions)
    stray = seen.filter(~seen.is_in(known.implode()))
    if len(stray):
        sentence = (
            f"{count_of(len(stray), 'item')} with interactions not in the catalog: kept, with no content"
        )
        notes.append(Note.of("items_without_catalog", len(stray), sentence, stray, warning=True))
    return IdMap(pl.concat([known, stray]), "item"), notes
