"""The base of every config object: frozen, typed, and clear about what it does not know."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from irisrec.errors import ConfigError


class Settings(BaseModel):
    """A frozen group of options; unknown names are refused with a suggestion."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)

    @classmethod
    def read(cls, values: Mapping[str, Any], section: str = "") -> Self:
        """Validate plain values; what does not fit becomes one sentence with the option's full name.

        >>> class Training(Settings):
        ...     learning_rate: float = 0.01
        >>> Training.read({"learningrate": 0.1}, "training")
        Traceback (most recent call last):
        irisrec.errors.ConfigError: unknown option training.learningrate; did you mean 'learning_rate'?
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise ConfigError(_sentence(cls, error, section)) from None


def _sentence(cls: type[BaseModel], error: ValidationError, section: str) -> str:
    first = error.errors()[0]
    names = [str(part) for part in first["loc"]]
    where = ".".join(([section] if section else []) + names)
    if first["type"] == "extra_forbidden":
        known = _known_names(cls, names[:-1])
        close = difflib.get_close_matches(names[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"
        return f"unknown option {where}; {hint}"
    if first["type"] == "missing":
        return f"option {where} is required"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message[:1].lower() + message[1:]
    if first["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"option {where}: {message}, got {first['input']!r}"


def _known_names(cls: type[BaseModel], path: list[str]) -> list[str]:
    """Names that the innermost settings class on the path knows."""
    known: type[BaseModel] = cls
    for part in path:
        field = known.model_fields.get(part)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is None:
            break
        known = inner
    return list(known.model_fields)
