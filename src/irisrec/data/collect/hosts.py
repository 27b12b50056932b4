"""Manners towards each host: not too many requests at once, a pause when it asks for one, an end when it is down."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from irisrec.data.collect.http import Clock, FetchError, HttpSettings, Sleep, wait_before


class Host:
    """One host, as seen by its workers.

    Attributes:
        name: its name and port.
        failing: jobs in a row that failed in a way that may pass.
    """

    def __init__(self, name: str, sleep: Sleep, clock: Clock) -> None:
        self.name, self.failing = name, 0
        self._sleep, self._clock = sleep, clock
        self._not_before = 0.0

    def pause(self, seconds: float) -> None:
        """Let no request to this host start for some seconds."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    async def ready(self) -> None:
        """Wait until a pause is over."""
        while (left := self._not_before - self._clock()) > 0:
            await self._sleep(left)


async def visit(
    urls: Iterable[str],
    fetch_one: Callable[[str], Awaitable[None]],
    give_up: Callable[[str, FetchError], None],
    *,
    http: HttpSettings,
    at_once: int,
    per_host: int,
    host_failures: int,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.monotonic,
) -> None:
    """Fetch all urls, with bounds on the requests at once, overall and per host.

    What may pass is tried again after a wait, in which the place is free for other hosts; a host that asks for a
    pause gets it from all its workers. After ``host_failures`` urls in a row without an answer, the rest of a
    host is given up for this run.
    """
    queues: defaultdict[str, deque[str]] = defaultdict(deque)
    for url in urls:
        queues[urlsplit(url).netloc.lower()].append(url)
    places = asyncio.Semaphore(at_once)

    async def work(host: Host, queue: deque[str]) -> None:
        while queue:
            url = queue.popleft()
            if host.failing >= host_failures:
                sentence = f"{host.name} failed {host.failing} times in a row, not asked again in this run"
                give_up(url, FetchError("host_down", sentence, passing=True))
                continue
            await _tries(url, host)

    async def _tries(url: str, host: Host) -> None:
        for attempt in range(1, http.tries + 1):
            await host.ready()
            try:
                async with places:
                    await fetch_one(url)
            except FetchError as failure:
                if failure.passing and attempt < http.tries:
                    await _step_back(host, attempt, failure)
                    continue
                host.failing = host.failing + 1 if _is_host_fault(failure) else 0
                give_up(url, failure)
            else:
                host.failing = 0
            return

    async def _step_back(host: Host, attempt: int, failure: FetchError) -> None:
        wait = wait_before(attempt, failure, http)
        if failure.wait is not None:
            host.pause(wait)
        else:
            await sleep(wait)

    try:
        async with asyncio.TaskGroup() as group:
            for name, queue in queues.items():
                host = Host(name, sleep, clock)
                for _ in range(min(per_host, len(queue))):
                    group.create_task(work(host, queue))
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


def _is_host_fault(failure: FetchError) -> bool:
    """Whether the host itself is in trouble, not the one file."""
    return failure.passing and (
        failure.kind in ("timeout", "connection") or failure.kind.startswith("status_")
    )
