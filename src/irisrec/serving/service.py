"""The service: a run, a store, threads, and what can be asked of them; routes and pages call nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from anyio import CapacityLimiter, to_thread

from irisrec.errors import IrisrecError
from irisrec.ids import Id
from irisrec.recommendation.asking import Asked
from irisrec.recommendation.explanation import Explanation
from irisrec.recommendation.history import History
from irisrec.recommendation.results import Recommendation
from irisrec.recommendation.rules import LEARNED, Rules
from irisrec.recommendation.similar import SimilarItem
from irisrec.recommendation.words import Wording
from irisrec.serving.added import joined
from irisrec.serving.computing import Computing
from irisrec.serving.config import ServeSettings
from irisrec.serving.current import Current
from irisrec.serving.errors import NotFoundError
from irisrec.serving.metrics import Metrics
from irisrec.serving.people import Person, person_of
from irisrec.serving.pictures import Pictures, check_pixels
from irisrec.serving.served import Served, load_served
from irisrec.serving.store.history import Event, HistoryStore, Past
from irisrec.serving.store.items import AddedItem, ItemStore

LOG = logging.getLogger("irisrec.serving")
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What a list is to be like; equal ones are computed together."""

    k: int = 10
    n_reasons: int = 3
    rules: Rules = field(default_factory=Rules)


class Service:
    """Everything that requests share.

    Attributes:
        settings: as given.
        current: what is served, and how it is changed.
        store: what people did since the training.
        metrics: for Prometheus.
        wording: of reasons in words.
    """

    def __init__(self, settings: ServeSettings, served: Served, store: HistoryStore) -> None:
        self.settings = settings
        self.store = store
        self.metrics = Metrics()
        self.wording = Wording(verb=settings.verb)
        limits = settings.limits
        self._computing = Computing(
            settings.workers, limits.waiting, limits.seconds, self.metrics, limits.together
        )
        self._pictures = Pictures()
        self._store_threads = CapacityLimiter(16)
        self._items = ItemStore(store.database, served.items.kind)
        self.current = Current(
            settings.run, served, self._items, self._computing, self.in_store, self.metrics
        )

    @property
    def served(self) -> Served:
        """The run of this moment; take it once per request, for a reload puts another one in its place."""
        return self.current.served

    @classmethod
    def open(cls, settings: ServeSettings) -> Self:
        """Load the run and open the store; items that were added before are added again."""
        served = load_served(settings.run)
        store = HistoryStore(settings.database_url, *served.kinds)
        items = ItemStore(store.database, served.items.kind)
        while others := items.others(served.numbers):
            served = joined(served, others)
        return cls(settings, served, store)

    def close(self) -> None:
        """Wait for the work that has begun, and close the store."""
        self._computing.close()
        self.store.close()

    async def person(
        self,
        served: Served,
        user_id: Id | None,
        history: Sequence[Id] | History = (),
        half_life: float | None = None,
    ) -> Person:
        """Return a user with what the store knows, or else anybody with a history."""
        if user_id is None:
            return Person(served.recommender.ask(history=history, half_life=half_life))
        return person_of(served, user_id, await self.past(user_id), half_life)

    async def past(self, user_id: Id) -> Past:
        """Return what the store knows of a user, as many of the newest events as count."""
        return await self.in_store(lambda: self.store.past(user_id, self.settings.limits.history))

    async def recommend(self, served: Served, asked: Asked, wanted: Wanted) -> list[Recommendation]:
        """Return one list; those that wait for lists of the same kind are computed together."""
        found: list[Recommendation] = await self._computing.join(
            "recommend",
            lambda some: _lists(served, some, wanted),
            asked,
            self._together(served, asked, wanted),
        )
        return found

    async def recommend_many(
        self, served: Served, asked: Sequence[Asked], wanted: Wanted
    ) -> list[list[Recommendation]]:
        """Return one list for each, computed in blocks of people who may be computed together."""
        at_once = self.settings.limits.together
        found: list[list[Recommendation]] = await self._computing.run(
            "batch", lambda: _in_blocks(served, asked, wanted, at_once)
        )
        return found

    async def explain(
        self, served: Served, asked: Asked, item_id: Id, k: int = 10, n_reasons: int = 3
    ) -> Explanation:
        """Explain an item."""
        found: Explanation = await self._computing.run(
            "explain", lambda: served.recommender.explain_to(asked, item_id, k, n_reasons)
        )
        return found

    async def similar(self, served: Served, item_id: Id, k: int = 10, by: str = LEARNED) -> list[SimilarItem]:
        """Return items that are like another."""
        if item_id not in served.items:
            raise NotFoundError(f"item {item_id!r} is not among the {len(served.items):,} of the catalog")
        found: list[SimilarItem] = await self._computing.run(
            "similar", lambda: served.recommender.similar_items(item_id, k, by)
        )
        return found

    async def picture(self, served: Served, item_id: Id, size: int) -> bytes:
        """Return an item's picture as WebP, its longer side ``size`` pixels at most."""
        added = None
        if item_id in served.added:
            added = await self.in_store(lambda: self._items.picture(item_id))
        data: bytes = await self._computing.run(
            "picture", lambda: self._pictures.of(served, item_id, size, added)
        )
        return data

    async def add_item(self, item: AddedItem) -> bool:
        """Keep a new item, and recommend it from now on; return whether it is new, and not sent again."""
        picture, most = item.picture, self.settings.limits.pixels
        if picture is not None:
            await self.compute("read a picture", lambda: check_pixels(picture, most))
        return await self.current.add(item)

    async def watch_items(self) -> None:
        """Look for items that other replicas have added, until cancelled."""
        while True:
            await asyncio.sleep(self.settings.items_seconds)
            try:
                await self.current.catch_up()
            except IrisrecError as error:
                LOG.warning("added items could not be looked up", extra={"fields": {"reason": str(error)}})
            except Exception:  # must not end the watch
                LOG.exception("added items could not be looked up")

    async def compute(self, what: str, work: Callable[[], T]) -> T:
        """Do something else that takes a while on a computing thread."""
        done: T = await self._computing.run(what, work)
        return done

    async def append(self, events: Sequence[Event]) -> int:
        """Keep events; when this returns they are on the disk, and the next recommendation counts them."""
        served = self.served
        for event in events:
            served.check_user(event.user_id)
        served.items.index([event.item_id for event in events])  # refuses unknown ones
        n_new = await self.in_store(lambda: self.store.append(events))
        self.metrics.events.labels("new").inc(n_new)
        self.metrics.events.labels("known").inc(len(events) - n_new)
        return n_new

    async def forget(self, user_id: Id) -> int:
        """Delete a user's events and mask the training history; return how many events went."""
        self.served.check_user(user_id)
        return await self.in_store(lambda: self.store.forget(user_id))

    async def in_store(self, work: Callable[[], T]) -> T:
        """Do something with the store on a thread."""
        try:
            return await to_thread.run_sync(work, limiter=self._store_threads)
        except IrisrecError:
            self.metrics.store_errors.inc()
            raise

    def _together(self, served: Served, asked: Asked, wanted: Wanted) -> tuple[Any, ...]:
        # a model that learns something per user scores known users only where all of a block are known
        # and one run may be asked with all of its modalities or with some
        recommender = served.recommender
        return recommender, asked.user >= 0, wanted.k, wanted.n_reasons, wanted.rules.model_dump_json()


def _in_blocks(
    served: Served, asked: Sequence[Asked], wanted: Wanted, at_once: int
) -> list[list[Recommendation]]:
    found: dict[int, list[Recommendation]] = {}
    for is_known in (True, False):  # as of `Service._together`
        places = [place for place, one in enumerate(asked) if (one.user >= 0) == is_known]
        for start in range(0, len(places), at_once):
            some = places[start : start + at_once]
            lists = _lists(served, [asked[place] for place in some], wanted)
            found |= zip(some, lists, strict=True)
    return [found[place] for place in range(len(asked))]


def _lists(served: Served, asked: Sequence[Asked], wanted: Wanted) -> list[list[Recommendation]]:
    recommender = served.recommender
    tables = recommender.resolved(wanted.rules)
    lists = recommender.rank(asked, wanted.k, wanted.n_reasons, tables, modalities=wanted.n_reasons > 0)
    return recommender.described(lists)
