"""Interactions: which user had which item, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import polars as pl

from irisrec.errors import DataError, count_of, some
from irisrec.ids import id_column
from irisrec.notes import Note

_PAIR = ["user_id", "item_id"]


@dataclass(frozen=True)
class Interactions:
    """Implicit feedback: one row per interaction, in the order of the source.

    Attributes:
        frame: columns ``user_id`` and ``item_id`` (strings or integers, never null), and, where the source has
            them, ``time`` (any ordered type, null where unknown) and ``rating`` (a number or null).
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        for column in _PAIR:
            if column not in self.frame.columns:
                raise DataError(f"interactions need a column {column!r}, got {', '.join(self.frame.columns)}")
        if not len(self.frame):
            raise DataError("interactions are empty: at least one row is needed")
        checked = [id_column(self.frame[column], f"{column} of interactions") for column in _PAIR]
        object.__setattr__(self, "frame", self.frame.with_columns(checked))

    def __len__(self) -> int:
        return len(self.frame)

    def __str__(self) -> str:
        users, items = (self.frame[column].n_unique() for column in _PAIR)
        density = len(self) / (users * items)
        return (
            f"{count_of(len(self), 'interaction')} of {count_of(users, 'user')} with {count_of(items, 'item')} "
            f"(density {density:.3%})"
        )

    @property
    def has_times(self) -> bool:
        """Whether the source gave times at all; single ones may still be null."""
        return "time" in self.frame.columns

    def collapsed(self) -> tuple[Self, list[Note]]:
        """Keep the last row of each (user, item), and the order of the rows.

        Last by time, where an unknown time comes before every known one; of equal times the later row.
        """
        if not (removed := len(self) - self.frame.select(_PAIR).n_unique()):
            return self, []
        rows = self.frame.with_row_index("row")
        if self.has_times:
            rows = rows.sort("time", nulls_last=False, maintain_order=True)
        kept = rows.unique(_PAIR, keep="last", maintain_order=True).sort("row").drop("row")
        repeated = (
            rows.filter(pl.struct(_PAIR).is_duplicated())
            .sort("row")
            .select(_PAIR)
            .unique(maintain_order=True)
        )
        sentence = f"{count_of(removed, 'repeated interaction')} of user and item collapsed into the last one"
        return type(self)(kept), [Note.of("repeated_pairs", removed, sentence, repeated.iter_rows())]

    def with_minimum(self, per_user: int, per_item: int) -> tuple[Self, list[Note]]:
        """Drop users and items with fewer interactions than asked, again and again until none is left."""
        if max(per_user, per_item) <= 1:
            return self, []
        frame = self.frame
        while True:
            size = len(frame)
            frame = frame.filter(pl.len().over("item_id") >= per_item)
            frame = frame.filter(pl.len().over("user_id") >= per_user)
            if len(frame) == size:
                break
        if not len(frame):
            raise DataError(
                f"no interaction is left with at least {per_user} per user and {per_item} per item; "
                "lower data.filters.min_user_interactions or data.filters.min_item_interactions"
            )
        notes = self._gone(frame, "user", per_user) + self._gone(frame, "item", per_item)
        return type(self)(frame), notes

    def _gone(self, kept: pl.DataFrame, noun: str, least: int) -> list[Note]:
        before = self.frame[f"{noun}_id"].unique(maintain_order=True)
        gone = before.filter(~before.is_in(kept[f"{noun}_id"].unique().implode()))
        if not len(gone):
            return []
        sentence = (
            f"{count_of(len(gone), noun)} of {len(before):,} left out, with fewer than "
            f"{count_of(least, 'interaction')} after filtering until stable"
        )
        return [Note.of(f"{noun}s_below_minimum", len(gone), sentence, gone)]

    def only_items(self, items: pl.Series, why: str, kind: str) -> tuple[Self, list[Note]]:
        """Keep the interactions with the given items, and say how many went and why."""
        wanted = self.frame["item_id"].is_in(items.implode())
        if wanted.all():
            return self, []
        gone = self.frame["item_id"].filter(~wanted)
        items_gone = gone.unique(maintain_order=True)
        if not wanted.any():
            raise DataError(
                f"no interaction is left: all {len(items_gone):,} items are {why} ({some(items_gone.head(4))})"
            )
        sentence = (
            f"{count_of(len(gone), 'interaction')} with {count_of(len(items_gone), 'item')} left out: {why}"
        )
        return type(self)(self.frame.filter(wanted)), [Note.of(kind, len(gone), sentence, items_gone)]
