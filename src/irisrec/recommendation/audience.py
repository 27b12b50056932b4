"""Whom bulk recommendations are for: known users, or histories from a file, read as they are needed."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import StrictInt, StrictStr, ValidationError

from irisrec.errors import DataError
from irisrec.files import sha256
from irisrec.ids import Id
from irisrec.recommendation.asking import Asked
from irisrec.recommendation.history import History
from irisrec.recommendation.recommender import Recommender
from irisrec.settings import Settings

_FORM = '{"user_id": …, "items": […], "weights": […], "times": […]}, the last two where they are known'


class _Line(Settings):
    user_id: StrictStr | StrictInt
    items: list[StrictStr | StrictInt]
    weights: list[float] | None = None
    times: list[float | str] | None = None


def _kind(id: Id) -> Literal["string", "integer"]:
    return "string" if isinstance(id, str) else "integer"


class Audience(ABC):
    """A number of people in a fixed order.

    Attributes:
        half_life: see `Recommender.recommend`.
    """

    half_life: float | None = None

    @property
    @abstractmethod
    def id_kind(self) -> Literal["string", "integer"]:
        """Whether the people's ids are strings or integers."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def entries(self) -> Iterator[Any]:
        """Yield one entry per person, quickly: those of a finished part are passed over."""

    @abstractmethod
    def person(self, entry: Any, recommender: Recommender) -> tuple[Id, Asked]:
        """Return the id and the rows of a person."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of who they are and what they had, as far as the run folder does not know it."""


@dataclass(frozen=True)
class KnownUsersAudience(Audience):
    """Users that the model was trained with."""

    users: Sequence[Id]
    half_life: float | None = None

    @property
    def id_kind(self) -> Literal["string", "integer"]:
        """The kind of the first id; a data set knows but one."""
        return _kind(self.users[0]) if self.users else "string"

    def __len__(self) -> int:
        return len(self.users)

    def entries(self) -> Iterator[Id]:
        """Yield the ids."""
        return iter(self.users)

    def person(self, entry: Id, recommender: Recommender) -> tuple[Id, Asked]:
        """Look up what the user had."""
        return entry, recommender.ask(entry, half_life=self.half_life)

    @property
    def fingerprint(self) -> str:
        """A hash of the ids in their order."""
        return sha256(json.dumps(list(self.users), ensure_ascii=False))


@dataclass(frozen=True)
class HistoriesAudience(Audience):
    """Anybody: a file of JSON lines, each with ``user_id`` and ``items``, and with ``weights`` and ``times`` or not."""

    path: Path
    half_life: float | None = None

    @cached_property
    def id_kind(self) -> Literal["string", "integer"]:
        """The kind of the first line's id; the others must be like it."""
        first = next(self.entries(), None)
        return _kind(self._values(*first)["user_id"]) if first else "string"

    def __len__(self) -> int:
        return sum(1 for _ in self.entries())

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Yield numbered lines, empty ones left out."""
        try:
            with self.path.open("rb") as file:
                yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}") from None

    def person(self, entry: tuple[int, bytes], recommender: Recommender) -> tuple[Id, Asked]:
        """Read a line."""
        number, line = entry
        values = self._values(number, line)
        if _kind(values["user_id"]) != self.id_kind:
            raise DataError(
                f"{self.path}, line {number}: user ids must be all strings or all integers, the first is "
                f"{'a string' if self.id_kind == 'string' else 'an integer'}, got {values['user_id']!r}"
            )
        try:
            history = History(values["items"], values.get("weights"), values.get("times"))
            return values["user_id"], recommender.ask(history=history, half_life=self.half_life)
        except DataError as error:
            raise DataError(f"{self.path}, line {number}: {error}") from None

    def _values(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            values = _Line.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(
                f"{self.path}, line {number}: a history is {_FORM}, got {line[:60].decode(errors='replace')!r} "
                f"({where + ': ' if where else ''}{first['msg']})"
            ) from None
        return values.model_dump()

    @property
    def fingerprint(self) -> str:
        """A hash of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
