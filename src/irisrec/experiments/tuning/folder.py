"""The folder of a study: the names of its files, and whether it holds the study that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irisrec.errors import RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.files import PARTIAL, read_json, write_json


@dataclass(frozen=True)
class StudyFolder:
    """A study on disk.

    ``config.toml`` is the config it began with; ``study.json`` what is tuned, the budget and what came of it;
    ``study.db`` Optuna's storage; ``trials.csv`` every finished trial; ``best.toml`` the config with the chosen
    values, ready for `irisrec train`; ``tuning.png`` the course of the study.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The config that the study began with."""
        return self.path / "config.toml"

    @property
    def description(self) -> Path:
        """What is tuned, the budget, and what came of it."""
        return self.path / "study.json"

    @property
    def storage(self) -> Path:
        """Optuna's SQLite file."""
        return self.path / "study.db"

    @property
    def trials(self) -> Path:
        """Every finished trial."""
        return self.path / "trials.csv"

    @property
    def best(self) -> Path:
        """The config with the chosen values."""
        return self.path / "best.toml"

    @property
    def chart(self) -> Path:
        """The course of the study."""
        return self.path / "tuning.png"

    def checkpoint(self, fingerprint: str) -> Path:
        """Where the trial with a config of that fingerprint keeps its progress while it runs."""
        return self.path / f"trial-{fingerprint[:16]}.safetensors"

    def read_description(self) -> dict[str, Any]:
        """Read ``study.json``; empty where the study did not come that far."""
        return read_json(self.description) if self.description.exists() else {}

    def update_description(self, **values: Any) -> None:
        """Change entries of ``study.json``."""
        write_json(self.description, self.read_description() | values)

    def open(self, config: ExperimentConfig, facts: dict[str, Any]) -> None:
        """Begin a study here, or go on with the one that is here if it is the same; sweep up after a kill.

        Args:
            config: of the study.
            facts: what else makes it the study it is, as plain JSON values.

        Raises:
            RunError: a folder that holds another study, or something else.
        """
        if not self.config.exists():
            if any(path.name != ".lock" for path in self.path.iterdir()):
                raise RunError(f"{self.path} is not empty and holds no study; give a new --out")
            config.save(self.config)
        for path in self.path.glob(PARTIAL):
            path.unlink(missing_ok=True)
        before = self.read_description()
        changed = config.differences(ExperimentConfig.load(self.config))
        others = [name for name, fact in facts.items() if before.get(name, fact) != fact]
        changed += [f"another {name.replace('_', ' ')}" for name in others]
        if changed:
            raise RunError(
                f"{self.path} holds a study with {', '.join(changed)}; go on as it was begun, or give a new --out"
            )
        self.update_description(**facts)
