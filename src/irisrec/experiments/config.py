"""ExperimentConfig: everything that makes a run, from one TOML file and ``--set`` overrides."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.errors import ConfigError, closest
from irisrec.evaluation.config import EvaluationConfig
from irisrec.files import write_text
from irisrec.models.config import ModelConfig
from irisrec.models.options import LEARN_USERS, MODEL_NAMES, unused
from irisrec.progress import say
from irisrec.settings import Settings
from irisrec.training.config import TrainingConfig


class StartConfig(Settings):
    """Section [start], which `irisrec train --continue` writes: the weights to begin with.

    Attributes:
        run: folder of the finished run they come from.
        fingerprint: a hash of what that folder held then.
    """

    run: Path
    fingerprint: str


class ExperimentConfig(Settings):
    """A whole experiment; nothing is inherited from anywhere else.

    Attributes:
        data: where users, items and interactions come from.
        split: what is held out.
        features: one table per modality: an encoder and its options.
        model: which model.
        training: how it is fitted.
        evaluation: how it is judged.
        start: the run whose weights it begins with; None for weights drawn by the seed.
    """

    data: DataConfig
    split: SplitConfig = SplitConfig()
    features: dict[str, dict[str, Any]] = {}  # noqa: RUF012 (frozen settings)
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    start: StartConfig | None = None

    @classmethod
    def load(cls, path: Path, overrides: Iterable[str] = ()) -> ExperimentConfig:
        """Read a TOML file and apply ``section.key=value`` overrides.

        An override of ``model.name`` leaves out those options of the file that the other model does not have, and
        says so.
        """
        values = read_toml(path)
        written = values.get("model", {})
        of_file = dict(written) if isinstance(written, dict) else {}
        overrides = list(overrides)
        for override in overrides:
            apply_override(values, override)
        _drop_options_of_another_model(values, of_file, overrides)
        _drop_history_dropout(values, of_file, overrides)
        return cls.read(values)

    def having(self, options: Mapping[str, Any]) -> ExperimentConfig:
        """Return the config with other values of some options, named as in ``model.dim``.

        Options that another model name does not have are not left out here but refused.
        """
        values = self._plain()
        for name, value in options.items():
            _put(values, name.split("."), value, name)
        return self.read(values)

    def options(self) -> dict[str, Any]:
        """Return every option by its full name, such as ``model.dim``; those that are not set are left out."""
        return dict(flat(self._plain()))

    def chosen(self) -> dict[str, Any]:
        """Return the options of model and training that have another value than the model's defaults."""
        plain = {"data": self.data, "model": {"name": self.model.name}}
        defaults = self.read(plain).options()
        return {
            option: value
            for option, value in self.options().items()
            if option.startswith(("model.", "training.")) and value != defaults.get(option)
        }

    def differences(self, other: ExperimentConfig) -> list[str]:
        """Name the options in which another config differs, with its values first, for messages."""
        ours, theirs = self.options(), other.options()
        return [
            f"{name} = {theirs.get(name, 'none')} and not {ours.get(name, 'none')}"
            for name in {**ours, **theirs}
            if ours.get(name) != theirs.get(name)
        ]

    def save(self, path: Path) -> None:
        """Write the resolved config, every default spelled out."""
        write_text(path, tomli_w.dumps(self._plain()))

    def _plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a config file as plain values."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}") from None


def apply_override(values: dict[str, Any], override: str) -> None:
    """Change plain values in place by ``section.key=value``; with nothing as the value, the option is not set."""
    name, equals, text = override.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or len(keys) < 2 or not all(keys):
        raise ConfigError(f"--set needs section.key=value, got {override!r}")
    if text.strip():
        _put(values, keys, _value(text.strip()), override)
    else:
        _unset(values, keys)


def _put(values: dict[str, Any], keys: list[str], value: Any, said: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {said!r}: {key} is a value, not a section")
    values[keys[-1]] = value


def _unset(values: dict[str, Any], keys: list[str]) -> None:
    field = ExperimentConfig.model_fields.get(keys[0])
    kind = None if field is None else field.annotation
    if isinstance(kind, type) and issubclass(kind, Settings) and keys[1] not in kind.model_fields:
        raise ConfigError(f"unknown option {'.'.join(keys)}{closest(keys[1], kind.model_fields)}")
    for key in keys[:-1]:
        values = values.get(key, {})
    if isinstance(values, dict):
        values.pop(keys[-1], None)


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested sections by its full name, such as ``model.dim``."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _drop_options_of_another_model(
    values: dict[str, Any], of_file: dict[str, Any], overrides: list[str]
) -> None:
    model = values.get("model")
    if not isinstance(model, dict) or model.get("name") == of_file.get("name"):
        return
    name = model.get("name")
    if name not in MODEL_NAMES:  # refused where the config is read
        return
    overridden = {override.partition("=")[0].strip() for override in overrides}
    dropped = [
        o for o in unused(name, of_file) if o in ModelConfig.model_fields and f"model.{o}" not in overridden
    ]
    for option in dropped:
        del model[option]
    if dropped:
        say(f"model {name} has no option {', '.join(dropped)}: left out of the config")


def _drop_history_dropout(values: dict[str, Any], of_file: dict[str, Any], overrides: list[str]) -> None:
    """Leave it out for a model that was named instead of the file's and learns users, not histories."""
    model, training = values.get("model"), values.get("training")
    if not (isinstance(model, dict) and isinstance(training, dict) and training.get("history_dropout")):
        return
    is_given = any(o.partition("=")[0].strip() == "training.history_dropout" for o in overrides)
    if model.get("name") != of_file.get("name") and model.get("name") in LEARN_USERS and not is_given:
        del training["history_dropout"]
        say(f"model {model['name']} reads no histories: training.history_dropout is left out of the config")


def _value(text: str) -> Any:
    """Read the right side as TOML where it is that (numbers, true, lists, quoted strings), else as plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
