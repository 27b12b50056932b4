"""Items that were added since the training, as they were given, so that every start and every replica has them."""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from irisrec.ids import Id
from irisrec.serving.errors import ConflictError
from irisrec.serving.store.database import Database
from irisrec.serving.store.tables import ITEMS


@dataclass(frozen=True)
class AddedItem:
    """An item as it was given.

    Attributes:
        item_id: its id.
        title, text: for people, and for what reads texts; None where not given.
        picture: the bytes of its file; None where there is none.
        vectors: {modality: a vector as the run's encoder would make it}.
        columns: values of other columns of the catalog.
    """

    item_id: Id
    title: str | None = None
    text: str | None = None
    picture: bytes | None = None
    vectors: dict[str, list[float]] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> str:
        """All but id and picture, as JSON."""
        values = {"title": self.title, "text": self.text, "vectors": self.vectors, "columns": self.columns}
        return json.dumps(values, sort_keys=True)


class ItemStore:
    """Added items in the database of the histories, in the order in which they came."""

    def __init__(self, database: Database, item_kind: str) -> None:
        self.database = database
        self._read_item = int if item_kind == "integer" else str

    def add(self, item: AddedItem) -> bool:
        """Keep an item; return whether it is new, and not sent again.

        Raises:
            ConflictError: another item has the id already.
        """
        return self.database.write(lambda connection: self._add(connection, item))

    def others(self, numbers: Set[int], limit: int = 64) -> dict[int, AddedItem]:
        """Return the first items that are not among those with these numbers, by number.

        Not those above the highest number: of two replicas the one that began first may end last.
        """
        return self.database.read(lambda connection: self._others(connection, numbers, limit))

    def picture(self, item_id: Id) -> bytes | None:
        """Return the picture of an item; None where it has none, or is not there."""
        query = select(ITEMS.c.picture).where(ITEMS.c.item_id == str(item_id))
        found: bytes | None = self.database.read(lambda connection: connection.execute(query).scalar())
        return found

    def _others(self, connection: Connection, numbers: Set[int], limit: int) -> dict[int, AddedItem]:
        if connection.execute(select(func.count()).select_from(ITEMS)).scalar_one() == len(numbers):
            return {}
        new = sorted(set(connection.execute(select(ITEMS.c.number)).scalars()) - numbers)[:limit]
        rows = connection.execute(select(ITEMS).where(ITEMS.c.number.in_(new)).order_by(ITEMS.c.number))
        return {
            row.number: AddedItem(self._read_item(row.item_id), picture=row.picture, **json.loads(row.given))
            for row in rows
        }

    def _add(self, connection: Connection, item: AddedItem) -> bool:
        values = {"item_id": str(item.item_id), "given": item.given, "picture": item.picture}
        kept = self.database.insert(ITEMS).values(values).on_conflict_do_nothing(index_elements=["item_id"])
        if connection.execute(kept.returning(ITEMS.c.number)).first() is not None:
            return True
        there = connection.execute(select(ITEMS).where(ITEMS.c.item_id == str(item.item_id))).one()
        if (there.given, there.picture) != (item.given, item.picture):
            raise ConflictError(
                f"another item {item.item_id!r} was added before; give this one an id of its own"
            )
        return False
