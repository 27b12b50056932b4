"""What a view of the page shows, as its address says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from irisrec.errors import DataError

LENGTHS = (10, 20, 50)
_MOST_ADDED = 200
_LONGEST = 256


@dataclass(frozen=True)
class State:
    """One view; ids are texts here, as they stand in an address.

    Attributes:
        user: a user of the run or of the store; empty for nobody.
        added: items that were clicked, in that order.
        dropped: items of the history that are set aside.
        off: modalities that are switched off.
        k: length of the list.
        why: the item whose reasons are open; None for the first of the list, empty for none.
        q: what is looked for in the catalog.
        page: of the catalog, from 1.
    """

    user: str = ""
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    k: int = LENGTHS[0]
    why: str | None = None
    q: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: QueryParams) -> Self:
        """Read an address; what does not belong to the page is passed over.

        >>> State.read(QueryParams("user=u7&drop=p1&drop=p2&k=20")).dropped
        ('p1', 'p2')
        """
        return cls(
            user=_text(query.get("user", "")).strip(),
            added=_several(query.getlist("add")),
            dropped=_several(query.getlist("drop")),
            off=_several(query.getlist("off")),
            k=_number("k", query.get("k") or str(LENGTHS[0])),
            why=_text(query["why"]) if "why" in query else None,
            q=_text(query.get("q", "")).strip(),
            page=_number("page", query.get("page") or "1"),
        )

    @property
    def is_somebody(self) -> bool:
        """Whether there is anybody to recommend to."""
        return bool(self.user or self.added)

    @property
    def is_changed(self) -> bool:
        """Whether something is set aside or switched off, so that there is a list to compare with."""
        return bool(self.dropped or self.off)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What the address says, defaults left out, in a fixed order."""
        pairs = [("user", self.user)] if self.user else []
        pairs += [("add", id) for id in self.added]
        pairs += [("drop", id) for id in self.dropped]
        pairs += [("off", name) for name in self.off]
        pairs += [("k", str(self.k))] if self.k != LENGTHS[0] else []
        pairs += [("why", self.why)] if self.why is not None else []
        pairs += [("q", self.q)] if self.q else []
        pairs += [("page", str(self.page))] if self.page != 1 else []
        return pairs

    def fields_but(self, *names: str) -> list[tuple[str, str]]:
        """Return what a form keeps that asks for the others itself."""
        return [(name, value) for name, value in self.fields if name not in names]

    def url(self, path: str = "/") -> str:
        """Return the address of this view."""
        return path + (f"?{urlencode(self.fields)}" if self.fields else "")

    def item_url(self, id: str) -> str:
        """Return the address of an item's page, from where one comes back to this view."""
        return self.url(f"/item/{quote(id, safe='')}")

    def but(self, **changes: Any) -> State:
        """Return another view."""
        return replace(self, **changes)

    def adding(self, id: str) -> State:
        """Return the view with an item more in the history."""
        if id in self.dropped:
            return self.putting_back(id)
        return self if id in self.added else replace(self, added=(*self.added, id))

    def dropping(self, id: str) -> State:
        """Return the view with an item set aside."""
        return self if id in self.dropped else replace(self, dropped=(*self.dropped, id))

    def putting_back(self, id: str) -> State:
        """Return the view with an item counted again."""
        return replace(self, dropped=tuple(other for other in self.dropped if other != id))

    def switching(self, modality: str) -> State:
        """Return the view with a modality switched the other way."""
        if modality in self.off:
            return replace(self, off=tuple(other for other in self.off if other != modality))
        return replace(self, off=(*self.off, modality))

    def whole(self) -> State:
        """Return the view with nothing set aside or switched off."""
        return replace(self, dropped=(), off=())


def _text(value: str) -> str:
    if len(value) > _LONGEST or not all(letter.isprintable() for letter in value):
        raise DataError(
            f"a value in the address may have {_LONGEST} letters at most, and no control characters; got {value[:40]!r}"
        )
    return value


def _several(values: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_text(value) for value in values if value))
    if len(found) > _MOST_ADDED:
        raise DataError(f"the page takes {_MOST_ADDED} items in an address at most, got {len(found):,}")
    return found


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value[:9]) >= 1 and len(value) < 9):
        raise DataError(f"{name} in the address must be a whole number from 1, got {value[:40]!r}")
    return int(value)
