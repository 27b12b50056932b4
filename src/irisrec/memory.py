"""How the process keeps its memory."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # names and numbers of glibc's malloc.h
_LIMIT = 1 << 30


def keep_freed_memory() -> bool:
    """Let the allocator reuse freed blocks of up to 1 GB instead of giving each back to the system.

    Every training step frees and asks again for tables of item pairs, 54 MB each for MovieLens-1M. Fresh pages cost
    a fault and a zeroing each time: measured on one core, 0.85 s per step without this and 0.55 s with it. Sets a
    policy of the whole process, so commands call it and the library does not. Returns whether it could (glibc only).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LIMIT) and mallopt(_M_TRIM_THRESHOLD, _LIMIT))


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import in this block without looking for garbage, and never look through what was imported.

    Libraries make a million objects that live as long as the process. Searching them for garbage while they are
    imported and again when the process ends took 0.5 of the 1.8 s of a process that only imports torch. A policy of
    the whole process, as `keep_freed_memory`.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
