"""The threads that share the work of a compiled function; they run at once, for it holds no lock of Python's."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch


def share(function: Callable[..., None], *arguments: Any, operations: float) -> None:
    """Call a function of the library in as many threads as torch has, in one where there is little to do."""
    taken = ctypes.byref(ctypes.c_int64(0))
    n_others = torch.get_num_threads() - 1 if operations > _FEW else 0
    others = [_pool(os.getpid(), n_others).submit(function, taken, *arguments) for _ in range(n_others)]
    function(taken, *arguments)
    for other in others:
        other.result()


_FEW = 1e6  # operations that are done before a second thread has begun


@functools.lru_cache(maxsize=1)
def _pool(process: int, n: int) -> ThreadPoolExecutor:
    """Return the threads of a process; one that was forked has none of its parent's."""
    return ThreadPoolExecutor(n, thread_name_prefix="kernels")
