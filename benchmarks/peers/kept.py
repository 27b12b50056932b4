"""What fits have left: every user's metrics and the time, kept on disk so that a comparison is made in pieces."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.experiments.folder import read_frame
from irisrec.files import atomic_path, read_json, sha256, write_json


@dataclass(frozen=True)
class Fit:
    """One fit of one method with one seed, on one side.

    Attributes:
        name: of the file.
        told: everything that the outcome depends on, as plain JSON values.
    """

    name: str
    told: dict[str, Any]

    def path(self, folder: Path) -> Path:
        """Where it is kept; another one as soon as anything that it depends on is another."""
        key = sha256(json.dumps(self.told, sort_keys=True, default=str))
        return folder / f"{self.name}-{key[:12]}.parquet"

    def find(self, folder: Path) -> tuple[pl.DataFrame, float] | None:
        """Return the per-user frame and the seconds, None where it was not made yet."""
        path = self.path(folder)
        if not path.exists():
            return None
        return read_frame(path), float(read_json(path.with_suffix(".json"))["seconds"])

    def make(self, folder: Path, fit: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, float]:
        """Find it, or make and keep it."""
        if (found := self.find(folder)) is not None:
            return found
        folder.mkdir(parents=True, exist_ok=True)
        started, path = time.perf_counter(), self.path(folder)
        frame = fit()
        seconds = time.perf_counter() - started
        write_json(path.with_suffix(".json"), {**self.told, "seconds": round(seconds, 2)})
        with atomic_path(path) as temporary:
            frame.write_parquet(temporary)
        print(f"{self.name}: {seconds:.1f} s, kept as {path.name}", file=sys.stderr)
        return frame, seconds
