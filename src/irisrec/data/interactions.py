"""Interactions: which user had which item, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import polars as pl

from irisrec.errors import DataError, count_of, some
from irisrec.notes import Note


@dataclass(frozen=True)
class Interactions:
    """Implicit feedback: one row per interaction, in the order of the source.

    Attributes:
        frame: columns ``user_id`` and ``item_id`` (strings or integers, never null), and ``time`` (any ordered
            type; null where unknown; absent where the source has no times).
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        for column in ("user_id", "item_id"):
            if column not in self.frame.columns:
                raise DataError(f"interactions need a column {column!r}, got {', '.join(self.frame.columns)}")
            values = self.frame[column]
            if not (values.dtype == pl.String or values.dtype.is_integer()):
                raise DataError(f"{column} must be strings or integers, got {values.dtype}")
            if nulls := values.null_count():
                rows = values.is_null().arg_true().head(3).to_list()
                raise DataError(
                    f"{column} must not be null, {nulls:,} of {len(values):,} rows are "
                    f"(rows {', '.join(str(row) for row in rows)} counted from 0)"
                )
        if not len(self.frame):
            raise DataError("interactions are empty: at least one row is needed")

    def __len__(self) -> int:
        return len(self.frame)

    def __str__(self) -> str:
        users, items = self.frame["user_id"].n_unique(), self.frame["item_id"].n_unique()
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
        """Keep one row per (user, item): the latest where all times are known, otherwise the first."""
        frame = self.frame
        if self.has_times and not frame["time"].null_count():
            frame = frame.sort("time", maintain_order=True)
            kept = frame.unique(["user_id", "item_id"], keep="last", maintain_order=True)
        else:
            kept = frame.unique(["user_id", "item_id"], keep="first", maintain_order=True)
        removed = len(frame) - len(kept)
        if not removed:
            return self, []
        sentence = (
            f"{count_of(removed, 'repeated pair')} of user and item collapsed into one interaction each"
        )
        return type(self)(kept), [Note.of("repeated_pairs", removed, sentence)]

    def with_minimum(self, per_user: int, per_item: int) -> tuple[Self, list[Note]]:
        """Drop users and items with fewer interactions than asked, again and again until none is left."""
        frame = self.frame
        users_before, items_before = set(frame["user_id"]), set(frame["item_id"])
        while True:
            size = len(frame)
            frame = frame.filter(pl.len().over("item_id") >= per_item)
            frame = frame.filter(pl.len().over("user_id") >= per_user)
            if len(frame) == size:
                break
        if len(frame) == len(self):
            return self, []
        if not len(frame):
            raise DataError(
                f"no interaction is left with at least {per_user} per user and {per_item} per item; "
                f"lower data.filters.min_user_interactions or min_item_interactions"
            )
        notes = []
        for noun, before, column, least in (
            ("user", users_before, "user_id", per_user),
            ("item", items_before, "item_id", per_item),
        ):
            gone = before - set(frame[column])
            if gone:
                sentence = (
                    f"{count_of(len(gone), noun)} of {len(before):,} left out, "
                    f"with fewer than {count_of(least, 'interaction')} after filtering until stable"
                )
                notes.append(Note.of(f"{noun}s_below_minimum", len(gone), sentence, sorted(gone)))
        return type(self)(frame), notes

    def only_items(self, items: pl.Series, why: str, kind: str) -> tuple[Self, list[Note]]:
        """Keep the interactions with the given items, and say how many went and why."""
        kept = self.frame.filter(pl.col("item_id").is_in(items.implode()))
        removed = len(self.frame) - len(kept)
        if not removed:
            return self, []
        gone = self.frame.filter(~pl.col("item_id").is_in(items.implode()))["item_id"].unique(
            maintain_order=True
        )
        if not len(kept):
            raise DataError(f"no interaction is left: all {len(gone):,} items are {why} ({some(gone)})")
        sentence = f"{count_of(removed, 'interaction')} with {count_of(len(gone), 'item')} left out: {why}"
        return type(self)(kept), [Note.of(kind, removed, sentence, gone)]
