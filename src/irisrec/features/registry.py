"""Encoders by name: the built-in ones, and those that other packages register."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from irisrec.errors import ConfigError
from irisrec.features.encoders.base import Encoder

GROUP = "irisrec.encoders"

BUILT_IN = {
    "colour-hog": "irisrec.features.encoders.colour_hog:ColourHog",
    "columns": "irisrec.features.encoders.columns:Columns",
    "doc2vec": "irisrec.features.encoders.doc2vec:Doc2Vec",
    "huggingface-picture": "irisrec.features.encoders.huggingface_picture:HuggingFacePicture",
    "huggingface-text": "irisrec.features.encoders.huggingface_text:HuggingFaceText",
    "vectors": "irisrec.features.encoders.vectors:Vectors",
}

DEFAULTS = {"image": "colour-hog", "picture": "colour-hog", "text": "doc2vec"}


def encoder_names() -> list[str]:
    """Return the names of all encoders that a config can ask for."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


@cache
def find_encoder(name: str) -> type[Encoder]:
    """Return the encoder class of a name; a package's own encoder comes from the entry point group above."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found = getattr(import_module(module), attribute)
    else:
        points = [point for point in entry_points(group=GROUP) if point.name == name]
        if not points:
            raise ConfigError(f"unknown encoder {name!r}; {_hint(name)}")
        found = points[0].load()
    if not (isinstance(found, type) and issubclass(found, Encoder)):
        raise ConfigError(f"encoder {name!r} must be a class derived from irisrec's Encoder, got {found!r}")
    return found


def make_encoder(modality: str, options: Mapping[str, Any], root: Path = Path()) -> Encoder:
    """Build the encoder that a ``[features.MODALITY]`` table describes, not fitted yet.

    Args:
        modality: the name of the table; ``image`` and ``text`` have an encoder by default.
        options: the table: ``encoder`` and the options of that encoder.
        root: folder that relative paths in the options start from.
    """
    options = dict(options)
    name = options.pop("encoder", None) or ("vectors" if "path" in options else DEFAULTS.get(modality))
    if name is None:
        raise ConfigError(
            f"option features.{modality}.encoder is required; known: {', '.join(encoder_names())}"
        )
    try:
        kind = find_encoder(str(name))
    except ConfigError as error:
        raise ConfigError(f"features.{modality}: {error}") from None
    return kind(kind.Settings.read(options, section=f"features.{modality}"), root)


def _hint(name: str) -> str:
    known = encoder_names()
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
