"""Time that passed, and time that processors worked: on a shared machine the second is what a method costs."""

from __future__ import annotations

import time


class Stopwatch:
    """Runs from the moment it is made; it can be read as often as wanted."""

    def __init__(self) -> None:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Seconds that passed."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """Seconds that processors worked for this process, all its threads together."""
        return time.process_time() - self._cpu_started
