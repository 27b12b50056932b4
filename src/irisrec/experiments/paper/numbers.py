"""The paper's numbers, from ``numbers.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

Spec = Mapping[str, Any]  # one table or figure: kind, title, data and rows


@cache
def paper() -> Mapping[str, Spec]:
    """Return {name: table or figure} in the order of the paper."""
    numbers = _read()
    return MappingProxyType({name: spec for name, spec in numbers.items() if isinstance(spec, dict)})


def source() -> str:
    """Return which paper the numbers are from."""
    return str(_read()["source"])


def statistics_of(data: str) -> Spec | None:
    """Return the paper's row of Table I for a data set, None for one that it does not have."""
    return next((row for row in paper()["table1"]["rows"] if row["data"] == data), None)


def _read() -> dict[str, Any]:
    text = files("irisrec.experiments.paper").joinpath("numbers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
