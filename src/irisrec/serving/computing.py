"""Threads that compute: as many as there are cores, each on one, and requests that wait for them together.

The event loop never computes. A thread that becomes free takes the request that has waited longest and, of the others
that wait, those that want a list of the same kind: they become one block computation. Nobody waits for company, so an
idle service answers a single request at once, and a busy one makes its blocks as large as it is busy.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from irisrec.serving.errors import UnavailableError
from irisrec.serving.metrics import Metrics

Work = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass
class _Job:
    what: str
    work: Work
    value: Any
    together: Hashable
    future: asyncio.Future[Any]


class Computing:
    """Runs work on threads for coroutines of one event loop.

    Args:
        workers: how many threads; one for each core where 0.
        waiting: how many jobs may wait.
        seconds: how long a job may take, waiting included.
        metrics: notes how long the work took, and how many were computed together.
        at_once: most jobs of one block.
    """

    def __init__(self, workers: int, waiting: int, seconds: float, metrics: Metrics, at_once: int) -> None:
        self._free = workers or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self._free, "computing", initializer=one_core)
        self._queue: deque[_Job] = deque()
        self._most, self._seconds, self._metrics, self._at_once = waiting, seconds, metrics, at_once

    async def run(self, what: str, work: Callable[[], Any]) -> Any:
        """Do one thing on a thread."""
        return await self.join(what, lambda _: [work()], None, None)

    async def join(self, what: str, work: Work, value: Any, together: Hashable) -> Any:
        """Return what ``work`` makes of a value; values of an equal ``together`` that wait are given to it at once.

        Where it fails for several, each is tried alone.

        Raises:
            UnavailableError: too many wait already, or it took too long.
        """
        if len(self._queue) >= self._most:
            raise UnavailableError(f"{self._most} requests wait for the model already; try again")
        future = asyncio.get_running_loop().create_future()
        self._queue.append(_Job(what, work, value, together, future))
        self._start()
        try:
            return await asyncio.wait_for(future, self._seconds)
        except TimeoutError:
            raise UnavailableError(
                f"the model did not answer within {self._seconds:g} s; try again"
            ) from None

    def close(self) -> None:
        """Wait for the work that has begun."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        while self._free and (jobs := self._next()):
            self._free -= 1
            self._metrics.batch.observe(len(jobs))
            done = asyncio.get_running_loop().run_in_executor(self._threads, self._compute, jobs)
            done.add_done_callback(lambda done, jobs=jobs: self._finish(jobs, done))  # type: ignore[misc]
        self._metrics.waiting.set(len(self._queue))

    def _next(self) -> list[_Job]:
        """Take the first job that somebody still waits for, and those that go with it."""
        while self._queue and self._queue[0].future.done():
            self._queue.popleft()
        if not self._queue:
            return []
        first = self._queue.popleft()
        jobs, others = [first], deque[_Job]()
        if first.together is not None:
            for job in self._queue:
                if job.future.done():  # whoever asked has gone
                    continue
                fits = len(jobs) < self._at_once and job.together == first.together
                (jobs if fits else others).append(job)
            self._queue = others
        return jobs

    def _compute(self, jobs: list[_Job]) -> list[Any]:
        start = time.perf_counter()
        try:
            return list(jobs[0].work([job.value for job in jobs]))
        except Exception as error:
            return [error] if len(jobs) == 1 else [self._compute([job])[0] for job in jobs]
        finally:
            self._metrics.computing.labels(jobs[0].what).observe(time.perf_counter() - start)

    def _finish(self, jobs: list[_Job], done: asyncio.Future[list[Any]]) -> None:
        self._free += 1
        if not done.cancelled():
            for job, result in zip(jobs, done.result(), strict=True):
                if job.future.done():
                    continue
                if isinstance(result, Exception):
                    job.future.set_exception(result)
                else:
                    job.future.set_result(result)
        self._start()


def one_core() -> None:
    """Keep torch from starting threads of its own beside those of the service."""
    import torch

    torch.set_num_threads(1)
