"""The compiled library: made once for each processor and compiler, kept in the cache folder.

Nothing is loaded that somebody else could have written: not from a folder or a file that others own or may write to,
and not a file whose digest is not the one noted when it was compiled.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from irisrec.files import atomic_path, cache_folder, sha256, write_text
from irisrec.progress import say

_SOURCE = Path(__file__).with_name("kernels.cpp")
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")
_COMPILERS = ("c++", "g++", "clang++")
_PATIENCE = 120  # seconds
_lock = threading.Lock()
_loaded: ctypes.CDLL | None = None
_failed = False
_looked = False
_wanted: bool | None = None


@contextmanager
def compiling(wanted: bool) -> Iterator[None]:
    """Use the library inside, compiled if need be, or not at all; outside, where it is worth compiling."""
    global _wanted
    before, _wanted = _wanted, wanted
    try:
        yield
    finally:
        _wanted = before


def library(worth_compiling: bool = False) -> ctypes.CDLL | None:
    """Return the library; None where it is not wanted or cannot be had.

    Args:
        worth_compiling: whether the work at hand takes longer without it than compiling does.
    """
    global _loaded, _failed, _looked
    if _wanted is False or _failed:
        return None
    compile_it = worth_compiling or bool(_wanted)
    if _loaded is None and (compile_it or not _looked):
        with _lock:
            _looked = True
            try:
                _loaded = _loaded or _opened(compile_it)
            except _UnavailableError as error:
                _failed = True
                say(f"the compiled kernels cannot be used, and computing takes longer without them: {error}")
    return _loaded


class _UnavailableError(Exception):
    pass


def compiler() -> Path | None:
    """Return the C++ compiler of this machine: ``CXX``, or the first of the usual names."""
    names = (os.environ["CXX"],) if os.environ.get("CXX") else _COMPILERS
    found = (shutil.which(name) for name in names)
    return next((Path(path) for path in found if path), None)


def _opened(compile_it: bool) -> ctypes.CDLL | None:
    program = compiler()
    if program is None or os.name != "posix":
        return None
    try:
        source = _SOURCE.read_text(encoding="utf-8")
        path = cache_folder() / "native" / f"kernels-{_key(source, program)}.so"
        if not compile_it and not path.exists():
            return None
        _make_private(path.parent)
        if not _is_intact(path):
            if not compile_it:
                return None
            _compile(program, path)
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise _UnavailableError(error) from None


def _key(source: str, program: Path) -> str:
    """Hash what the compiled code depends on: source, flags, compiler and processor."""
    real = program.resolve()
    about = real.stat()
    return sha256(source, *_FLAGS, str(real), f"{about.st_size} {about.st_mtime_ns}", _processor())[:20]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.version()}"
    told = {line for line in lines if line.lower().startswith(("flags", "features", "model", "cpu "))}
    return "\n".join(sorted(line for line in told if "mhz" not in line.lower()))


def _make_private(folder: Path) -> None:
    """Make the folder where it is not there; refuse it where others could put something in its place."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)
    above = folder.parent.stat().st_mode
    if above & stat.S_IWOTH and not above & stat.S_ISVTX:
        raise _UnavailableError(_not_private(folder.parent))


def _require_private(path: Path) -> None:
    about = path.stat()
    if about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _UnavailableError(_not_private(path))


def _not_private(path: Path) -> str:
    return f"others may write to {path}; take that right from them, or name another folder in IRISREC_CACHE"


def _is_intact(path: Path) -> bool:
    try:
        _require_private(path)
        noted = path.with_suffix(".sha256")
        _require_private(noted)
        return sha256(path.read_bytes()) == noted.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return False


def _compile(program: Path, path: Path) -> None:
    say("compiling the kernels for this processor, once: a few seconds")
    with atomic_path(path) as temporary:
        command = [str(program), *_FLAGS, "-o", str(temporary), str(_SOURCE)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise _UnavailableError(f"{program} did not finish in {_PATIENCE} s") from None
        if done.returncode or not temporary.exists():
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise _UnavailableError(f"{program} failed ({lines[0] if lines else f'exit {done.returncode}'})")
        temporary.chmod(0o700)
        digest = sha256(temporary.read_bytes())
    write_text(path.with_suffix(".sha256"), digest + "\n")
    path.with_suffix(".sha256").chmod(0o600)
