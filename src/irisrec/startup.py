"""How a command begins and ends soon: without a search for garbage, and with work for another core meanwhile."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from irisrec.sums import begin_checks

_quick = False


@contextmanager
def quick_imports(run: Path | None = None) -> Iterator[None]:
    """Import PyTorch and whatever needs it in this block, and begin to read the ``run`` that will be loaded.

    Python imports on one core. Another one loads PyTorch's library and computes the checksums of the run meanwhile,
    for neither needs Python: of the time until a first answer they were a fifth.

    And libraries make a million objects that live as long as the process. Searching them for garbage while they are
    imported and again when the process ends took 0.5 of the 1.8 s of a process that only imports torch, so they are
    never looked through: a policy of the whole process, as `irisrec.memory.keep_freed_memory`.
    """
    global _quick
    _quick = True
    Thread(target=_load_torch_library, daemon=True).start()
    if run is not None:
        begin_checks(run)
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def end_soon() -> None:
    """End a process that imported quickly, when all is said and written down; one that did not goes on.

    Python would take its objects apart one by one, 0.17 s, and the system frees them all at once.
    """
    if _quick:
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()
        os._exit(0)


def _load_torch_library() -> None:
    """Let the loader find and link it, 0.3 s; importing torch then takes what is there."""
    spec = find_spec("torch")
    for folder in (spec and spec.submodule_search_locations) or ():
        with suppress(OSError):  # another system calls it otherwise; torch itself says what is wrong with it
            ctypes.CDLL(str(Path(folder) / "lib" / "libtorch_cpu.so"))
