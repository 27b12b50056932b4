"""The run folder: the names of its files, and what state it is in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.errors import RunError
from irisrec.files import PARTIAL, read_json, write_json


@dataclass(frozen=True)
class RunFolder:
    """A run on disk.

    ``config.toml`` is the resolved config; ``run.json`` the data fingerprint, seed, commit, versions, time, memory,
    notes and state;
    ``metrics.json`` the epochs; ``checkpoint.safetensors`` what training goes on from; ``model.json``,
    ``model.safetensors``, ``features.safetensors``, ``encoders/``, ``items.parquet``, ``users.parquet`` and
    ``interactions.parquet`` what recommending needs; ``evaluation.json``, ``per_user.parquet``,
    ``per_user_popularity.parquet``, ``curves.png`` and ``report.html`` the results, with ``knockout.json``,
    ``knockout-retrained.json``, ``robustness.json`` and ``faithfulness.json`` where they were asked for.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.toml"

    @property
    def info(self) -> Path:
        """Fingerprint, seed, commit, versions, time, memory, notes, state."""
        return self.path / "run.json"

    @property
    def state(self) -> str:
        """Whether the run is missing, begun or finished."""
        state = str(self.read_info().get("state", "missing"))
        return "begun" if state == "running" else state

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
    def per_user_popularity(self) -> Path:
        """The same of popularity, the least that has to be beaten."""
        return self.path / "per_user_popularity.parquet"

    @property
    def knockouts(self) -> tuple[Path, Path]:
        """What is left without each modality: judged without it, trained without it."""
        return self.path / "knockout.json", self.path / "knockout-retrained.json"

    @property
    def robustness(self) -> Path:
        """What is left where items come without their content."""
        return self.path / "robustness.json"

    @property
    def faithfulness(self) -> Path:
        """Whether the reasons are why the model scores as it does."""
        return self.path / "faithfulness.json"

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

    def read_per_user(self) -> pl.DataFrame:
        """Read every user's metrics."""
        if not self.per_user.exists():
            raise RunError(
                f"{self.path} has no {self.per_user.name}: it is not finished, or of an older version; "
                f"go on with `irisrec train --resume {self.path}`"
            )
        return read_frame(self.per_user)

    def update_info(self, **values: Any) -> None:
        """Change entries of ``run.json``."""
        write_json(self.info, self.read_info() | values)


def read_frame(path: Path) -> pl.DataFrame:
    """Read a Parquet file of a run."""
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} cannot be read ({str(error).splitlines()[0]})") from None
