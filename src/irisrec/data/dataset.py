"""Dataset: interactions and catalog joined by two id maps, with a record of what was done to get there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.interactions import Interactions
from irisrec.errors import DataError, count_of
from irisrec.files import sha256
from irisrec.ids import IdMap
from irisrec.notes import Note
from irisrec.settings import Settings


class Filters(Settings):
    """What to leave out of the data; every filter counts what it removed.

    Attributes:
        min_user_interactions: users with fewer are left out (repeated until stable, together with the next).
        min_item_interactions: items with fewer are left out.
        min_rating: interactions with a lower rating are left out; a null rating is kept.
        catalog: keep the items whose catalog column has the given value, or one of the given values.
        unseen_items: what becomes of catalog items without any interaction.
    """

    min_user_interactions: int = 1
    min_item_interactions: int = 1
    min_rating: float | None = None
    catalog: dict[str, str | int | float | bool | list[str] | list[int]] = {}
    unseen_items: str = "drop"


@dataclass(frozen=True)
class Dataset:
    """Users, items and who had what, in row numbers; ids only at the two maps.

    Attributes:
        users, items: ids outside, row numbers inside.
        user_index, item_index: one entry per interaction, in source order.
        times: one entry per interaction, or None where the source has none.
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
        """Filter, collapse and index; users and items are numbered in the order in which they first appear."""
        filters = filters or Filters()
        said = list(notes)
        if catalog is not None and filters.catalog:
            catalog, interactions, more = _filter_catalog(catalog, interactions, filters.catalog)
            said += more
        if filters.min_rating is not None:
            interactions, more = _filter_rating(interactions, filters.min_rating)
            said += more
        interactions, more = interactions.collapsed()
        said += more
        interactions, more = interactions.with_minimum(
            filters.min_user_interactions, filters.min_item_interactions
        )
        said += more
        users = IdMap(interactions.frame["user_id"].unique(maintain_order=True), "user")
        items, more = _item_order(interactions, catalog, filters.unseen_items)
        said += more
        frame = interactions.frame
        rows = catalog if catalog is not None else Catalog.of(items.series.alias("item_id").to_frame())
        return cls(
            users=users,
            items=items,
            user_index=users.index(frame["user_id"]),
            item_index=items.index(frame["item_id"]),
            times=frame["time"] if interactions.has_times else None,
            catalog=rows.aligned(items),
            notes=tuple(said),
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
        """All interactions as a (n_users, n_items) matrix of ones, indices sorted."""
        return pairs_matrix(self.user_index, self.item_index, (self.n_users, self.n_items))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of ids, interactions and catalog: equal data, equal fingerprint, whatever file it came from."""
        catalog = self.catalog.frame.select("item_id", "title", "text").write_json()
        return sha256(
            *(
                str(id)
                for id in (self.users.series.hash(0).to_numpy().tobytes(), self.items.series.to_list())
            ),
            self.user_index.tobytes(),
            self.item_index.tobytes(),
            catalog,
        )

    def __str__(self) -> str:
        density = self.n_interactions / (self.n_users * self.n_items)
        return (
            f"{count_of(self.n_users, 'user')}, {count_of(self.n_items, 'item')}, "
            f"{count_of(self.n_interactions, 'interaction')} (density {density:.3%})"
        )


def pairs_matrix(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_matrix:
    """Build a matrix of float32 ones from pairs; a pair that stands twice counts once."""
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    matrix.sort_indices()
    return matrix


def _filter_catalog(
    catalog: Catalog, interactions: Interactions, wanted: Mapping[str, Any]
) -> tuple[Catalog, Interactions, list[Note]]:
    frame = catalog.frame
    for column, values in wanted.items():
        if column not in frame.columns:
            raise DataError(
                f"data.filters.catalog names column {column!r}, the catalog has {', '.join(frame.columns)}"
            )
        frame = frame.filter(pl.col(column).is_in(values if isinstance(values, list) else [values]))
    rule = ", ".join(f"{column} = {value}" for column, value in wanted.items())
    if not len(frame):
        raise DataError(f"no item of the catalog has {rule}; see data.filters.catalog")
    kept, notes = interactions.only_items(
        frame["item_id"], f"not in the catalog with {rule}", "items_filtered"
    )
    return Catalog(frame), kept, notes


def _filter_rating(interactions: Interactions, least: float) -> tuple[Interactions, list[Note]]:
    frame = interactions.frame
    if "rating" not in frame.columns:
        raise DataError("data.filters.min_rating needs ratings; name their column in data.columns.rating")
    kept = frame.filter(pl.col("rating").is_null() | (pl.col("rating") >= least))
    removed = len(frame) - len(kept)
    if not removed:
        return interactions, []
    sentence = f"{count_of(removed, 'interaction')} with a rating below {least:g} left out"
    return Interactions(kept), [Note.of("below_min_rating", removed, sentence)]


def _item_order(
    interactions: Interactions, catalog: Catalog | None, unseen_items: str
) -> tuple[IdMap, list[Note]]:
    """Number the items: catalog order first, then items that only the interactions know."""
    seen = interactions.frame["item_id"].unique(maintain_order=True)
    if catalog is None:
        return IdMap(seen, "item"), []
    known = catalog.frame["item_id"]
    if known.dtype.is_integer() != seen.dtype.is_integer():
        raise DataError(
            f"item ids of catalog and interactions must be of one kind, got {known.dtype} and {seen.dtype}; "
            "read both as strings or both as integers"
        )
    if known.dtype.is_integer():
        known, seen = known.cast(pl.Int64), seen.cast(pl.Int64)
    notes = []
    has_interactions = known.is_in(seen.implode())
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
