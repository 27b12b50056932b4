"""Token buckets: how often one client may ask."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from irisrec.serving.config import Rate

_CLIENTS = 10_000  # remembered; one that was not seen for longest has a full bucket anyway


class Buckets:
    """A bucket per client that holds ``burst`` tokens and gets ``per_second`` new ones; each request takes one."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_of(self, client: str) -> float:
        """Take a token; return 0, or the seconds until there is one.

        >>> buckets = Buckets(Rate(per_second=2, burst=1), clock=lambda: 0.0)
        >>> buckets.wait_of("a"), buckets.wait_of("a"), buckets.wait_of("b")
        (0.0, 0.5, 0.0)
        """
        if not self.rate.per_second:
            return 0.0
        now = self._clock()
        tokens, then = self._buckets.pop(client, (float(self.rate.burst), now))
        tokens = min(float(self.rate.burst), tokens + (now - then) * self.rate.per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate.per_second
        self._buckets[client] = (tokens - (wait == 0), now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        return wait
