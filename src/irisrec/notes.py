"""Counted facts about what was changed, kept or left out on the way: nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from irisrec.errors import some


@dataclass(frozen=True)
class Note:
    """One thing that was done to the data, how often, and up to three examples.

    Attributes:
        kind: a stable, machine-readable name, e.g. ``repeated_pairs``.
        count: how many rows, users, items or files it concerns.
        sentence: what happened, for a person, the count included.
        examples: up to three ids or values concerned.
        warning: True where a person should look; False where it is plain bookkeeping.
    """

    kind: str
    count: int
    sentence: str
    examples: tuple[Any, ...] = ()
    warning: bool = False

    @classmethod
    def of(
        cls, kind: str, count: int, sentence: str, examples: Iterable[Any] = (), *, warning: bool = False
    ) -> Note:
        """Build a note, keeping three of the examples."""
        return cls(kind, count, sentence, tuple(islice(examples, 3)), warning)

    def __str__(self) -> str:
        return self.sentence + (f" (for example {some(self.examples)})" if self.examples else "")

    def to_json(self) -> dict[str, Any]:
        """Return the note as plain JSON values."""
        return {
            "kind": self.kind,
            "count": self.count,
            "sentence": self.sentence,
            "examples": [v if isinstance(v, str | int | float | bool) else str(v) for v in self.examples],
            "warning": self.warning,
        }


def counted(notes: Sequence[Note]) -> dict[str, int]:
    """Map each note's kind to its count, for tests and reports."""
    return {note.kind: note.count for note in notes}
