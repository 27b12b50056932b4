"""The methods of the paper as models of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from irisrec.errors import ConfigError, closest
from irisrec.models.options import MODEL_NAMES


@dataclass(frozen=True)
class Method:
    """A method of the paper.

    Attributes:
        name: in the paper.
        model: ours; it may not be there (yet).
        options: in which the paper's differs from what ours could also do.
    """

    name: str
    model: str
    options: Mapping[str, Any]


METHODS = {
    method.name: method
    for method in (
        Method("VBPR", "vbpr", {"model.modalities": ["image"]}),
        Method("FISM", "fism", {}),
        Method("NCF", "neumf", {}),
        Method("NAIS", "nais", {}),
        Method("Image IRIS", "image-iris", {}),
        Method("Image-add-Text IRIS", "image-add-text-iris", {}),
        Method("Multimodal IRIS", "multimodal-iris", {"model.modalities": ["image", "text"]}),
    )
}


def known_methods(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of methods as the paper writes them, whatever their case.

    Raises:
        ConfigError: a name that the paper does not have.
    """
    known = {name.lower(): name for name in METHODS}
    for name in names:
        if name.lower() not in known:
            raise ConfigError(
                f"the paper has no method {name!r}; known: {', '.join(METHODS)}{closest(name, METHODS)}"
            )
    return tuple(known[name.lower()] for name in names)


def missing(names: Iterable[str]) -> list[str]:
    """Return those methods of the paper that this version has no model for."""
    return [name for name in dict.fromkeys(names) if METHODS[name].model not in MODEL_NAMES]
