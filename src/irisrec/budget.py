"""How much memory the process may take, and how large the blocks may be that large tables are computed in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from irisrec.errors import ConfigError
from irisrec.memory import give_back

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_SHARE = 0.6  # of the free memory, where nothing else is said: other processes and the page cache need some
_CGROUP = Path("/sys/fs/cgroup")
_limit: int | None = None


def parse_bytes(text: str | int) -> int:
    """Read a number of bytes with an optional unit.

    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes(1000)
    (2000000000, 1610612736, 1000)
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*([a-z]*)\s*", str(text).lower())
    try:
        assert found is not None
        n = int(float(found[1]) * _UNITS[found[2]])
    except (AssertionError, KeyError, ValueError):
        raise ConfigError(
            f"a memory budget is a number of bytes such as '2GB' or '500MiB', got {text!r}"
        ) from None
    if n < 1:
        raise ConfigError(f"a memory budget must be at least one byte, got {text!r}")
    return n


@contextmanager
def memory_budget(limit: str | int | None) -> Iterator[None]:
    """Keep the process below so many bytes of resident memory inside this block, as far as blocks can be planned.

    None leaves the budget as it is; without any, it is what the process has and most of what the machine, or the
    process's control group, still has.
    """
    global _limit
    before = _limit
    if limit is not None:
        _limit = parse_bytes(limit)
    try:
        yield
    finally:
        _limit = before


def bytes_left() -> int:
    """Return how many more bytes the process may take."""
    if _limit is None:
        return int(_SHARE * free_memory())
    give_back()  # what was freed and kept is there to be taken
    return max(0, _limit - resident_memory())


def at_once(n: int, bytes_each: float, share: float = 1.0, reserve: int = 0) -> int:
    """Return how many of ``n`` columns, rows or users fit into a share of what is left, at least one.

    ``reserve`` bytes will be taken by something else.

    A number below n is rounded down to one digit in base two: it then seldom depends on what little else the process
    holds, and sums keep their order from run to run.
    """
    fitting = int(share * (bytes_left() - reserve) / max(bytes_each, 1))
    return n if fitting >= n else max(1, 1 << max(fitting, 1).bit_length() - 1)


def resident_memory() -> int:
    """Return the bytes of this process that are in memory now; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def free_memory() -> int:
    """Return the bytes that can still be taken on this machine, or in this process's control group if that is less."""
    return min(_machine_free(), _group_free())


def _machine_free() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kilobytes) * 1024
    except (OSError, ValueError):
        return (
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        )  # another system: half of all it has


def _group_free() -> int:
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            return max(0, int((_CGROUP / limit).read_text()) - int((_CGROUP / used).read_text()))
        except (OSError, ValueError):  # no such version of control groups, or "max"
            continue
    return sys.maxsize
