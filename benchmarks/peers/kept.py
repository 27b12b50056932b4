"""What fits have left: every user's metrics and the time, kept on disk so that a comparison is made in pieces."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from peers.timing import Took

from irisrec.experiments.folder import read_frame
from irisrec.files import atomic_path, read_json, sha256, write_json


class Kept(NamedTuple):
    """What a fit left: every user's metrics, and how long its training took."""

    frame: pl.DataFrame
    took: Took


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

    def find(self, folder: Path) -> Kept | None:
        """Return what it left, None where it was not made yet."""
        path = self.path(folder)
        if not path.exists():
            return None
        return Kept(read_frame(path), Took(**read_json(path.with_suffix(".json"))["took"]))

    def make(self, folder: Path, fit: Callable[[], Kept]) -> None:
        """Make and keep it, if it is not there."""
        if self.find(folder) is not None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path, (frame, took) = self.path(folder), fit()
        write_json(path.with_suffix(".json"), {**self.told, "took": took._asdict()})
        with atomic_path(path) as temporary:
            frame.write_parquet(temporary)
        print(f"{self.name}: trained in {took.seconds:.1f} s, kept as {path.name}", file=sys.stderr)
