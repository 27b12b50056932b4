"""ExperimentConfig: everything that makes a run, from one TOML file and ``--set`` overrides."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tomli_w

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.errors import ConfigError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.files import write_text
from irisrec.models.config import ModelConfig
from irisrec.settings import Settings
from irisrec.training.config import TrainingConfig


class ExperimentConfig(Settings):
    """A whole experiment; nothing is inherited from anywhere else.

    Attributes:
        data: where users, items and interactions come from.
        split: what is held out.
        features: one table per modality: an encoder and its options.
        model: which model.
        training: how it is fitted.
        evaluation: how it is judged.
    """

    data: DataConfig
    split: SplitConfig = SplitConfig()
    features: dict[str, dict[str, Any]] = {}  # noqa: RUF012 (frozen settings)
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @classmethod
    def load(cls, path: Path, overrides: Iterable[str] = ()) -> ExperimentConfig:
        """Read a TOML file and apply ``section.key=value`` overrides."""
        try:
            values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"there is no config file {path}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(f"{path} cannot be read as TOML: {error}") from None
        for override in overrides:
            _apply(values, override)
        return cls.read(values)

    def save(self, path: Path) -> None:
        """Write the resolved config, every default spelled out."""
        values = self.model_dump(mode="json", exclude_none=True)
        write_text(path, tomli_w.dumps(values))


def _apply(values: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or len(keys) < 2 or not all(keys):
        raise ConfigError(f"--set needs section.key=value, got {override!r}")
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override!r}: {key} is a value, not a section")
    values[keys[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    """Read the right side as TOML where it is that (numbers, true, lists, quoted strings), else as plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
