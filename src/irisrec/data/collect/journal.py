"""An append-only record of what was asked and answered: one JSON value per line, safe to kill at any moment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Journal:
    """Answers by key; the last line of a key holds.

    A line is written whole, with one call, before the answer is used. What a kill leaves of a half-written line is
    cut off when the journal is opened again; other lines that cannot be read are counted in ``unreadable``.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.unreadable = 0
        self._answers: dict[str, Any] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b", buffering=0)
        self._load()

    def _load(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._file.truncate(whole)
        for line in data[:whole].splitlines():
            try:
                entry = json.loads(line)
                self._answers[entry["key"]] = entry["answer"]
            except (ValueError, TypeError, KeyError):
                self.unreadable += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> Any:
        return self._answers[key]

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Any:
        """Return the answer to a key, None where there is none."""
        return self._answers.get(key)

    def add(self, key: str, answer: Any) -> None:
        """Record an answer."""
        line = json.dumps({"key": key, "answer": answer}, ensure_ascii=False, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._answers[key] = answer

    def close(self) -> None:
        """Bring everything to the disk and close."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()
