"""How the process keeps its memory, and how much it needed at most."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # names and numbers of glibc's malloc.h
_LIMIT = 1 << 30
_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")  # proc(5): "5" sets the peak to what is resident now


def keep_freed_memory() -> bool:
    """Let the allocator reuse freed blocks of up to 1 GB instead of giving each back to the system.

    Every training step frees and asks again for tables of item pairs, 54 MB each for MovieLens-1M. Fresh pages cost
    a fault and a zeroing each time: measured on one core, 0.85 s per step without this and 0.55 s with it. Sets a
    policy of the whole process, so commands call it and the library does not. Returns whether it could (glibc only).
    """
    libc = _libc()
    if libc is None:
        return False
    return bool(libc.mallopt(_M_MMAP_THRESHOLD, _LIMIT) and libc.mallopt(_M_TRIM_THRESHOLD, _LIMIT))


def share_freed_memory() -> bool:
    """Let all threads allocate from one place, where what one has freed another can use.

    The allocator gives each thread a place of its own otherwise. The tables of a service are made on one thread and
    freed on another, and every place grows to what its thread once needed: a service of the built-in shop grew by half
    in 2,000 requests of all kinds, with new items among them. Before the first thread; a policy of the whole process,
    as `keep_freed_memory`. Returns whether it could (glibc only).
    """
    libc = _libc()
    return libc is not None and bool(libc.mallopt(_M_ARENA_MAX, 1))


def give_back() -> None:
    """Give freed memory that the allocator keeps back to the system, where it can (glibc only)."""
    if libc := _libc():
        libc.malloc_trim(0)


def forget_peak() -> bool:
    """Begin a new peak, so that one process can tell what each of several runs needed (Linux only).

    Freed memory that the allocator keeps goes back to the system first, for it is nobody's need. Returns whether it
    could; where not, `peak_memory` is that of the process.
    """
    give_back()
    try:
        _FORGET.write_text("5")
    except OSError:  # another system, or not allowed
        return False
    return True


def peak_memory() -> int:
    """Return the most bytes that the process had resident, since the last `forget_peak` where that could."""
    try:
        # and not getrusage, whose peak begins with that of the program that started this one
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    except (OSError, StopIteration):  # another system
        kilo = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilo


def _libc() -> Any:
    """Return glibc, None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
        _ = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        return None
    return libc
