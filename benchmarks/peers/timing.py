"""How long something takes, measured alike here and in the peers' environments, which have no irisrec."""

import resource
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

Made = TypeVar("Made")
REQUESTS = 50  # of which the median is taken


class Took(NamedTuple):
    """Seconds on the clock, and of all processors together, which other work on the machine lengthens less."""

    seconds: float
    cpu_seconds: float


def timed(make: Callable[[], Made]) -> tuple[Made, Took]:
    """Return what was made and how long it took."""
    started, cpu_started = time.perf_counter(), time.process_time()
    made = make()
    return made, Took(time.perf_counter() - started, time.process_time() - cpu_started)


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
