"""Contents to vectors, batch by batch: worker threads read and prepare while the model works."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import FeatureError, IrisrecError
from irisrec.features.encoders.base import ContentEncoder, Prepared
from irisrec.features.store import Key

WINDOW = 2  # batches that may wait, prepared, for the model: the bound on memory
ERRAND = (
    16  # rows at most that a worker takes at once: handing over one row costs as much as reading its file
)

Outcome = tuple[int, Key | None, Prepared | str | None]


@dataclass(frozen=True)
class Batch:
    """Vectors of a few contents, by key."""

    keys: list[Key]
    values: NDArray[np.float32]
    shortened: list[bool]


@dataclass
class Seen:
    """What a pass over the contents found, by item row.

    Attributes:
        keys: the content's key, for rows whose content could be read.
        reasons: why a row has no vector.
        failed: why a content that could be read could not be encoded, by key.
        done: rows handled so far.
    """

    keys: dict[int, Key] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    failed: dict[Key, str] = field(default_factory=dict)
    done: int = 0


class Pipeline:
    """One pass over contents: read, hash, skip what is known, prepare in threads, encode in batches.

    Args:
        encoder: its ``prepare`` runs in the threads, its ``encode`` here.
        read: gives key and content of a row, or raises FeatureError with the reason.
        known: whether the vector of a key exists already.
        workers: number of threads; None means one per core.
    """

    def __init__(
        self,
        encoder: ContentEncoder,
        read: Callable[[int], tuple[Key, Any]],
        known: Callable[[Key], bool] = lambda key: False,
        workers: int | None = None,
    ) -> None:
        self.encoder = encoder
        self.seen = Seen()
        self._read = read
        self._known = known
        self._workers = workers or os.cpu_count() or 1
        self._claimed: set[Key] = set()
        self._claim = Lock()

    def run(self, rows: Sequence[int]) -> Iterator[Batch]:
        """Yield the vectors of contents that are not known yet; `seen` tells the rest when all is done."""
        waiting: list[tuple[Key, Prepared]] = []
        for row, key, outcome in self._outcomes(rows):
            self.seen.done += 1
            if key is not None:
                self.seen.keys[row] = key
            if isinstance(outcome, Prepared) and key is not None:
                waiting.append((key, outcome))
            elif isinstance(outcome, str):
                self._fail(row, key, outcome)
            if len(waiting) >= self.encoder.batch_size:
                yield from self._encode(waiting)
                waiting = []
        yield from self._encode(waiting)
        for row, key in self.seen.keys.items():
            if key in self.seen.failed:
                self.seen.reasons[row] = self.seen.failed[key]

    def _fail(self, row: int, key: Key | None, reason: str) -> None:
        if key is None:
            self.seen.reasons[row] = reason
        else:
            self.seen.failed[key] = reason

    def _outcomes(self, rows: Sequence[int]) -> Iterator[Outcome]:
        pending: deque[Future[list[Outcome]]] = deque()
        window = WINDOW * self.encoder.batch_size
        errand = min(max(window // (4 * self._workers), 1), ERRAND)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="prepare") as pool:
            try:
                for start in range(0, len(rows), errand):
                    pending.append(pool.submit(self._prepare_some, rows[start : start + errand]))
                    if len(pending) >= window // errand:
                        yield from pending.popleft().result()
                while pending:
                    yield from pending.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _prepare_some(self, rows: Sequence[int]) -> list[Outcome]:
        return [self._prepare(row) for row in rows]

    def _prepare(self, row: int) -> Outcome:
        key = None
        try:
            key, content = self._read(row)
            if not self._is_new(key):
                return row, key, None
            return row, key, self.encoder.prepare(content)
        except IrisrecError as error:
            return row, key, str(error)
        except Exception as error:  # one odd item must not end the run
            return row, key, f"the encoder could not prepare it: {type(error).__name__}: {error}"[:200]

    def _is_new(self, key: Key) -> bool:
        with self._claim:
            if key in self._claimed or self._known(key):
                return False
            self._claimed.add(key)
            return True

    def _encode(self, waiting: Sequence[tuple[Key, Prepared]]) -> Iterable[Batch]:
        if not waiting:
            return
        try:
            values = np.asarray(self.encoder.encode([prepared.value for _, prepared in waiting]), np.float32)
            if values.ndim != 2 or len(values) != len(waiting):
                raise FeatureError(
                    f"encoder {self.encoder.name} must return one vector per content, got shape "
                    f"{values.shape} for {len(waiting)}"
                )
        except Exception as error:
            if len(waiting) == 1:
                self.seen.failed[waiting[0][0]] = f"the encoder failed: {error}"[:200]
                return
            half = len(waiting) // 2
            yield from self._encode(waiting[:half])
            yield from self._encode(waiting[half:])
            return
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
        for bad in np.flatnonzero(~finite):
            self.seen.failed[waiting[int(bad)][0]] = "the encoder gave numbers that are not finite"
        kept = [pair for pair, good in zip(waiting, finite, strict=True) if good]
        if kept:
            yield Batch(
                [key for key, _ in kept], values[finite], [prepared.shortened for _, prepared in kept]
            )
