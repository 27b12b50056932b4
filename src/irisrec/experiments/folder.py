"""The run folder: the names of its files, and what state it is in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irisrec.errors import RunError
from irisrec.files import PARTIAL, read_json, write_json


@dataclass(frozen=True)
class RunFolder:
    """A run on disk.

    ``config.toml`` is the resolved config; ``run.json`` the data fingerprint, seed, versions, notes and state;
    ``metrics.json`` the epochs; ``checkpoint.safetensors`` what training goes on from; ``model.json``,
    ``model.safetensors``, ``features.safetensors``, ``encoders/``, ``items.parquet``, ``users.parquet`` and
    ``interactions.parquet`` what recommending needs; ``evaluation.json``, ``per_user.parquet``,
    ``curves.png`` and ``report.html`` the results.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.toml"

    @property
    def info(self) -> Path:
        """Fingerprint, seed, versions, notes, state."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """One record per epoch."""
        return self.path / "metrics.json"

    @property
    def checkpoint(self) -> Path:
        """Weights, optimizer and progress after the last epoch."""
        return self.path / "checkpoint.safetensors"

    @property
    def evaluation(self) -> Path:
        """Metrics on test."""
        return self.path / "evaluation.json"

    @property
    def per_user(self) -> Path:
        """Every user's metrics on test, and what kind of user it is."""
        return self.path / "per_user.parquet"

    @property
    def curves(self) -> Path:
        """Loss and validation metric by epoch."""
        return self.path / "curves.png"

    @property
    def report(self) -> Path:
        """The run as one page."""
        return self.path / "report.html"

    @property
    def encoders(self) -> Path:
        """The fitted encoders, for new items."""
        return self.path / "encoders"

    @property
    def failures(self) -> Path:
        """Every item whose content could not be encoded, and why, as JSON lines."""
        return self.path / "failures.jsonl"

    def create(self) -> None:
        """Make the folder; one that already holds a run is an error."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            way_out = (
                f"go on with `irisrec train --resume {self.path}`"
                if self.config.exists()
                else "choose another"
            )
            raise RunError(f"{self.path} is not empty; {way_out}, or give a new --out")
        self.path.mkdir(parents=True, exist_ok=True)

    def require(self) -> None:
        """Check that this is a run folder."""
        if not self.config.exists():
            raise RunError(f"{self.path} is not a run folder: it has no {self.config.name}")

    def sweep(self) -> None:
        """Remove the unfinished files that a killed run left behind; whole ones never bear such a name."""
        for path in self.path.rglob(PARTIAL):
            path.unlink(missing_ok=True)

    def read_info(self) -> dict[str, Any]:
        """Read ``run.json``; empty where the run did not come that far."""
        try:
            info: dict[str, Any] = read_json(self.info)
        except FileNotFoundError:
            return {}
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RunError(f"{self.info} is damaged ({error})") from None
        return info

    def update_info(self, **values: Any) -> None:
        """Change entries of ``run.json``."""
        write_json(self.info, self.read_info() | values)


def cache_folder() -> Path:
    """Return where encoded features are kept between runs: ``IRISREC_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("IRISREC_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "irisrec"
