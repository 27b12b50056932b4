"""Encoders written to a folder and rebuilt from it, so that new items can be encoded without the old data."""

from __future__ import annotations

from pathlib import Path

from irisrec.errors import FeatureError
from irisrec.features.encoders.base import Encoder
from irisrec.features.registry import find_encoder
from irisrec.features.store import load_state, save_state
from irisrec.files import read_json, write_json
from irisrec.sums import SUMS, check_sealed, fingerprint_of_sealed, seal


def save_encoder(encoder: Encoder, folder: Path, dim: int) -> None:
    """Write an encoder: ``encoder.json``, and its fitted state where it has one."""
    if encoder.fitted:
        save_state(folder, *encoder.state())
    settings = encoder.settings.model_dump(mode="json")
    about = {"settings": settings, "dim": dim}
    if encoder.fitted_on:
        about["fitted_on"] = encoder.fitted_on
    write_json(folder / "encoder.json", encoder.identity() | about)
    seal(*(path for path in sorted(folder.iterdir()) if path.name != SUMS))


def load_encoder(folder: Path, root: Path = Path()) -> Encoder:
    """Rebuild the encoder that `save_encoder` wrote; it gives the same vectors for the same content.

    Args:
        folder: where it was written.
        root: folder that relative paths in its settings start from.
    """
    check_sealed(folder)
    try:
        saved = read_json(folder / "encoder.json")
    except (OSError, ValueError) as error:
        raise FeatureError(f"no saved encoder at {folder}: {error}") from None
    kind = find_encoder(saved["encoder"])
    if saved["version"] != kind.version:
        raise FeatureError(
            f"the encoder at {folder} is {saved['encoder']} version {saved['version']}, this irisrec has version "
            f"{kind.version} with other vectors; train again, or use the irisrec it was made with"
        )
    encoder = kind(kind.Settings.read(saved["settings"], section=f"{folder.name}.settings"), root)
    if saved.get("weights") != (found := encoder.identity().get("weights")):
        raise FeatureError(
            f"the encoder at {folder} was made with weights {saved['weights']}, the model "
            f"{saved['settings']['model']!r} now has {found}: its vectors would not fit"
        )
    if kind.fitted:
        state = load_state(folder)
        if state is None:
            raise FeatureError(f"the encoder at {folder} was fitted, but its state.json is not there")
        encoder.restore(*state)
        encoder.is_fitted = True
        # what names its vectors in a store; another encoder fitted elsewhere must not find them
        encoder.fitted_on = saved.get("fitted_on", "") or fingerprint_of_sealed(folder)
    return encoder


def load_encoders(folder: Path, root: Path = Path()) -> dict[str, Encoder]:
    """Rebuild all encoders below a folder, by modality."""
    found = sorted(path.parent for path in folder.glob("*/encoder.json"))
    return {path.name: load_encoder(path, root) for path in found}
