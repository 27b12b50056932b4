"""Catalog: what the items are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import polars as pl

from irisrec.errors import DataError, count_of, some
from irisrec.ids import IdMap, id_column

RESERVED = ("item_id", "title", "text", "picture")


@dataclass(frozen=True)
class Catalog:
    """One row per item, in order.

    Attributes:
        frame: ``item_id`` (string or integer, distinct), ``title`` (string, the id where none was given), ``text``
            (string or null), ``picture`` (path of a file or null), and every other column of the source as it was.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Complete a frame that has at least ``item_id``: missing columns become titles from ids, and nulls."""
        if "item_id" not in frame.columns:
            raise DataError(f"a catalog needs a column 'item_id', got {', '.join(frame.columns)}")
        for column in ("title", "text", "picture"):
            if column not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
        frame = frame.with_columns(
            pl.col("title").cast(pl.String).fill_null(pl.col("item_id").cast(pl.String)),
            pl.col("text").cast(pl.String),
            pl.col("picture").cast(pl.String),
        )
        others = [column for column in frame.columns if column not in RESERVED]
        return cls(frame.select(*RESERVED, *others))

    def __post_init__(self) -> None:
        if not len(self.frame):
            raise DataError("the catalog is empty: at least one item is needed")
        ids = id_column(self.frame["item_id"], "item_id of the catalog")
        object.__setattr__(self, "frame", self.frame.with_columns(ids))
        if (repeated := ids.filter(ids.is_duplicated()).unique(maintain_order=True)).len():
            raise DataError(
                f"each item may stand once in the catalog, {count_of(len(repeated), 'id')} "
                f"stand more than once: {some(repeated)}"
            )

    def __len__(self) -> int:
        return len(self.frame)

    def aligned(self, items: IdMap) -> Self:
        """Return the rows in the order of ``items``; an item that is not here gets its id as title and no content."""
        wanted = items.series.alias("item_id").to_frame()
        frame = self.frame
        if frame["item_id"].dtype != wanted["item_id"].dtype:
            raise DataError(
                f"item ids of catalog and interactions must be of one kind, got {frame['item_id'].dtype} "
                f"({some(frame['item_id'].head(2))}) and {items.kind} ({some(items.series.head(2))})"
            )
        joined = wanted.join(frame, on="item_id", how="left", maintain_order="left")
        return type(self).of(joined)

    @property
    def titles(self) -> list[str]:
        """The titles in order."""
        return self.frame["title"].to_list()

    @property
    def texts(self) -> list[str | None]:
        """The texts in order, None where an item has none."""
        return self.frame["text"].to_list()

    @property
    def pictures(self) -> list[str | None]:
        """The paths of the picture files in order, None where an item has none."""
        return self.frame["picture"].to_list()
