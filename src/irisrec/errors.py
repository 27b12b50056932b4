"""The one error tree, and the grammar every message follows: the rule, the fact with its values, the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice


class IrisrecError(Exception):
    """A mistake that the caller can mend; the message is one sentence meant for a person."""


class ConfigError(IrisrecError):
    """A setting that is unknown, of the wrong type, or in conflict with another."""


class DataError(IrisrecError):
    """Interactions, catalog or split that cannot be used as they are."""


class FeatureError(IrisrecError):
    """Content that cannot be encoded, or vectors that do not fit their ids."""


class ModelError(IrisrecError):
    """A model asked for something it cannot do, or saved weights that do not fit."""


class TrainingError(IrisrecError):
    """Training that cannot go on: a loss or gradient that is not finite, an empty training set."""


class CollectError(IrisrecError):
    """A download or a service that did not give what was asked of it."""


class RunError(IrisrecError):
    """A run folder that is missing, incomplete, or written by another version."""


def some(values: Iterable[object], limit: int = 3) -> str:
    """Name the first few values, for messages.

    >>> some(["tt01", "tt07"])
    "'tt01', 'tt07'"
    >>> some(range(5))
    '0, 1, 2, …'
    """
    taken = list(islice(values, limit + 1))
    return ", ".join(repr(value) for value in taken[:limit]) + (", …" if len(taken) > limit else "")


def count_of(n: int, singular: str, plural: str | None = None) -> str:
    """Count a noun, for messages.

    >>> count_of(1, "item"), count_of(1682, "item"), count_of(0, "category", "categories")
    ('1 item', '1,682 items', '0 categories')
    """
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    >>> listed(["image", "text", "audio"])
    'image, text and audio'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def closest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a wrong one, for messages; empty where none is near.

    >>> closest("userid", ["user_id", "item_id"])
    "; did you mean 'user_id'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
