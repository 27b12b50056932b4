"""Users in groups whose pairs of history and listed items fit into memory together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_PAIRS_AT_ONCE = 1 << 21  # history items x listed items: some 100 MB


def of_like_length(lengths: NDArray[np.int64], n_items: int) -> Iterator[NDArray[np.int64]]:
    """Yield rows of users with a history, in groups that are bounded when all are made as long as the longest.

    Args:
        lengths: (B,) of the histories.
        n_items: listed for each user.
    """
    order = np.argsort(lengths, kind="stable")
    start = int(np.searchsorted(lengths[order], 1))  # nobody without a history
    while start < len(order):
        stop = len(order)
        while stop > start + 1 and (stop - start) * lengths[order[stop - 1]] * n_items > _PAIRS_AT_ONCE:
            stop = start + (stop - start + 1) // 2
        yield order[start:stop]
        start = stop
