"""Progress on the error stream: long work is never silent, and standard output stays clean for results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@cache
def console() -> Console:
    """Return the error stream; Rich is imported when something is first said."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


class Task:
    """A running piece of work whose advance is shown."""

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._id = progress.add_task(label, total=total, status="")

    def advance(self, n: int = 1, status: str | None = None) -> None:
        """Move on by n steps, with a few words of status behind the bar."""
        if status is None:
            self._progress.update(self._id, advance=n)
        else:
            self._progress.update(self._id, advance=n, status=status)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Task]:
    """Show a bar with the share done and the time left; on a terminal only, it leaves nothing behind."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
        console=console(),
        transient=True,
        disable=not console().is_terminal,
    )
    with bar:
        yield Task(bar, label, total)


def say(sentence: str) -> None:
    """Say one thing to the person watching, on the error stream."""
    console().print(sentence, markup=False)
