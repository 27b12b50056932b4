"""One at a time: two runs that write to one folder would spoil each other's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from irisrec.errors import CollectError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; a second one gets an error. The hold ends with the process, also by kill."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".collect.lock").open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                message = f"another run is collecting into {folder}; wait for it, or choose another folder"
                raise CollectError(message) from None
        yield
