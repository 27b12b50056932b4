"""One at a time: two processes that write to one folder would spoil each other's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from irisrec.errors import IrisrecError, RunError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_one(folder: Path, doing: str, error: type[IrisrecError] = RunError) -> Iterator[None]:
    """Hold the folder for this process; a second one gets an error. The hold ends with the process, also by kill.

    Args:
        folder: made where it is not there.
        doing: what a process does with it, such as ``collecting into``.
        error: of the second one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise error(
                    f"another run is {doing} {folder}; wait for it, or choose another folder"
                ) from None
        yield
