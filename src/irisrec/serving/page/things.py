"""Items as the page shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from irisrec.ids import Id
from irisrec.serving.served import Served

HUES = 6  # tints of the tiles that stand for pictures


@dataclass(frozen=True)
class Thing:
    """An item.

    Attributes:
        row: in the catalog.
        id: as a text.
        title: never empty.
        picture: address of its picture without the size; None where there is none.
    """

    row: int
    id: str
    title: str
    picture: str | None

    @property
    def initial(self) -> str:
        """The letter that stands where there is no room for the title."""
        return next((letter.upper() for letter in self.title if letter.isalnum()), "?")

    @property
    def hue(self) -> int:
        """Which tint its tile has where it has no picture: the same each time."""
        return crc32(self.id.encode()) % HUES


class Things:
    """The items of a run."""

    def __init__(self, served: Served) -> None:
        self._items = served.items
        self._added = served.added
        self._titles = served.recommender.catalog.frame["title"]
        self._pictures = served.recommender.catalog.frame["picture"]

    def of_row(self, row: int) -> Thing:
        """Return an item by its row."""
        own = self._items.ids([row])[0]
        id, path = str(own), self._pictures[row]
        # the pictures of items that were added are in the store, which is asked only when a browser wants one
        there = own in self._added or (path is not None and Path(path).is_file())
        picture = f"/pictures/{quote(id, safe='')}" if there else None
        return Thing(row, id, self._titles[row].strip() or id, picture)

    def of_rows(self, rows: Iterable[int]) -> tuple[Thing, ...]:
        """Return several."""
        return tuple(self.of_row(int(row)) for row in rows)

    def of_id(self, id: Id) -> Thing:
        """Return an item that is there by its id."""
        return self.of_row(int(self._items.index([id])[0]))
