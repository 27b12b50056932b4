"""A run that is served: loaded, checked and warm before anybody is sent to it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import DataError, IrisrecError, RunError
from irisrec.ids import Id, IdMap
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules

_VARIANTS = 8  # kept; with many modalities there are too many ways to switch them off
LOG = logging.getLogger("irisrec.serving")


@dataclass(frozen=True)
class Served:
    """What all answers of a moment come from; a reload puts another one in its place.

    Attributes:
        recommender: warm.
        folder: of the run, links followed.
        generation: 1 for the first run, one more with each reload.
        loaded: when.
        added: ids of items that were added since the training.
        numbers: of all items of the store that were looked at, those that do not fit the run included.
    """

    recommender: Recommender
    folder: Path
    generation: int = 1
    loaded: datetime = field(default_factory=lambda: datetime.now(UTC))
    added: frozenset[Id] = frozenset()
    numbers: frozenset[int] = frozenset()
    # of its own: a copy with another recommender begins anew
    _variants: dict[frozenset[str], Served] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _making: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def without(self, modalities: Collection[str]) -> Served:
        """Return the run as it answers when no item has these modalities; those made last are kept with the run."""
        key = frozenset(modalities)
        if not key:
            return self
        with self._making:
            if key not in self._variants:
                made = replace(self, recommender=self.recommender.without(key))
                if len(self._variants) >= _VARIANTS:
                    del self._variants[next(iter(self._variants))]
                self._variants[key] = made
            return self._variants[key]

    @cached_property
    def by_popularity(self) -> NDArray[np.int64]:
        """The rows of all items, those that more of the known users had first."""
        return np.lexsort((np.arange(len(self.items)), -self.known.counts))

    @property
    def known(self) -> KnownUsers:
        """The users of the run; each run has some."""
        assert self.recommender.known is not None
        return self.recommender.known

    @property
    def items(self) -> IdMap:
        """The ids of the items."""
        return self.recommender.items

    @property
    def kinds(self) -> tuple[str, str]:
        """Whether the ids of users and items are strings or integers."""
        return self.known.ids.kind, self.items.kind

    def user_row(self, user_id: Id) -> int:
        """Return a user's row in the training data, -1 for one who is not there."""
        return int(self.known.ids.lookup([user_id])[0])

    def check_user(self, user_id: Id) -> None:
        """Raise a DataError for an id of another kind than the run's."""
        kind = self.known.ids.kind
        if isinstance(user_id, str) != (kind == "string"):
            raise DataError(f"user ids here are {kind}s, got {user_id!r}")


def load_served(run: Path, generation: int = 1) -> Served:
    """Load a run folder and ask it for a list, so that nobody has to wait for what is computed once.

    Raises:
        IrisrecError: a folder that is missing, incomplete or damaged, or a model that cannot answer.
    """
    folder = run.resolve()
    try:
        served = Served(Recommender.load(folder), folder, generation)
        warm(served)
    except IrisrecError:
        raise
    except Exception as error:  # a damaged file reaches every corner of the libraries that read it
        LOG.exception("a run could not be loaded")
        raise RunError(
            f"{folder} could not be loaded ({type(error).__name__}); its files are not what was written, "
            "copy the folder again or train it anew"
        ) from error
    return served


def warm(served: Served) -> None:
    """Ask for a list and an explanation, so that nobody has to wait for what is computed once."""
    recommender = served.recommender
    if recommender.model.knows_users_only:
        asked = recommender.ask(served.known.ids.ids([0])[0])
    else:
        asked = recommender.ask(history=served.items.ids([0]))
    lists = recommender.rank([asked], 1, 1, recommender.resolved(Rules()), modalities=True)
    recommender.described(lists)
    recommender.explain_to(asked, served.items.ids([len(served.items) - 1])[0], k=1, n_reasons=1)
