"""The run of this moment, and what puts another one in its place: a reload, and items that are added."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread

from irisrec.errors import DataError, IrisrecError, RunError
from irisrec.serving.added import joined, new_item
from irisrec.serving.computing import Computing, one_core
from irisrec.serving.errors import ConflictError
from irisrec.serving.metrics import Metrics
from irisrec.serving.served import Served, load_served
from irisrec.serving.store.items import AddedItem, ItemStore

LOG = logging.getLogger("irisrec.serving")
InStore = Callable[[Callable[[], Any]], Awaitable[Any]]


class Current:
    """Holds what is served, and changes it one change at a time; whoever has taken it goes on with what was taken.

    Args:
        run: the folder, or a link to it.
        served: the first.
        items: added since the training.
        computing: where items are read.
        in_store: does something with the store.
        metrics: of the service.
    """

    def __init__(
        self,
        run: Path,
        served: Served,
        items: ItemStore,
        computing: Computing,
        in_store: InStore,
        metrics: Metrics,
    ) -> None:
        self.served = served
        self._run, self._items = run, items
        self._computing, self._in_store, self._metrics = computing, in_store, metrics
        self._reloading, self._changing = asyncio.Lock(), asyncio.Lock()
        self._note()

    async def reload(self, name: str | None = None) -> Served:
        """Load a run beside the one that is served, and put it in its place when it has proved that it answers.

        Args:
            name: of a folder beside the run; the run's own folder, or where its link points by now, where not given.

        Raises:
            ConflictError: another reload goes on, or a run with ids of another kind.
            IrisrecError: a run that cannot be loaded; the old one stays.
        """
        if self._reloading.locked():
            raise ConflictError("a reload goes on already; wait for it")
        async with self._reloading:
            try:
                new = await to_thread.run_sync(_load, self._folder(name), self.served.generation + 1)
                self._check_kinds(new)
                async with self._changing:
                    self.served = await self._with_others(new)
            except IrisrecError as error:
                self._metrics.reloads.labels("failed").inc()
                LOG.error("reload failed, the old run stays", extra={"fields": {"reason": str(error)}})
                raise
            self._metrics.reloads.labels("done").inc()
            self._note()
            return self.served

    async def add(self, item: AddedItem) -> bool:
        """Keep a new item, and serve it from now on; return whether it is new, and not sent again.

        Raises:
            ConflictError: another item has the id.
            IrisrecError: an item that this run cannot take; then it is not kept.
        """
        async with self._changing:
            served = self.served
            if item.item_id in served.items:
                if item.item_id not in served.added:
                    raise ConflictError(f"item {item.item_id!r} is in the catalog already; give a new id")
            else:
                recommender = served.recommender
                await self._computing.run(
                    "read an item", lambda: recommender.read_new_items([new_item(recommender, item)])
                )
            is_new: bool = await self._in_store(lambda: self._items.add(item))
            self.served = await self._with_others(served)
            self._note()
            return is_new

    async def catch_up(self) -> None:
        """Serve what other replicas have added."""
        async with self._changing:
            self.served = await self._with_others(self.served)

    async def _with_others(self, served: Served) -> Served:
        """Return a run with all items of the store."""
        while others := await self._in_store(partial(self._items.others, served.numbers)):
            served = await to_thread.run_sync(_join, served, others)  # may take long, and has no limit
        return served

    def _check_kinds(self, new: Served) -> None:
        old = self.served
        if new.kinds != old.kinds:
            raise ConflictError(
                f"the new run has {new.kinds[0]} ids of users and {new.kinds[1]} ids of items, the old one "
                f"{old.kinds[0]} and {old.kinds[1]} ids; the histories would not fit"
            )

    def _folder(self, name: str | None) -> Path:
        if name is None:
            return self._run
        folder = self._run.parent / name
        if name in (".", "..") or Path(name).name != name:
            raise DataError(f"a run is named by its folder's name alone, got {name!r}")
        if not folder.is_dir():
            raise RunError(f"there is no run {name!r} beside the one that is served")
        return folder

    def _note(self) -> None:
        served = self.served
        self._metrics.generation.set(served.generation)
        self._metrics.items.set(len(served.items))
        fields = {"run": str(served.folder), "generation": served.generation, "n_items": len(served.items)}
        LOG.info("serving", extra={"fields": fields})


def _join(served: Served, items: Mapping[int, AddedItem]) -> Served:
    one_core()
    return joined(served, items)


def _load(folder: Path, generation: int) -> Served:
    one_core()
    return load_served(folder, generation)
