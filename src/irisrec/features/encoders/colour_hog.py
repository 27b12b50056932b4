"""Colours and shapes of a picture, with no downloaded weights: the default for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisrec.features.encoders.base import ContentEncoder, EncoderSettings, Prepared
from irisrec.features.pictures import decode

SIDE = 64


class ColourHogSettings(EncoderSettings):
    """Options of colour-hog."""


class ColourHog(ContentEncoder):
    """Histogram of oriented gradients of a small grey picture, beside a Lab colour histogram.

    Each part has length one, so colours and shapes weigh the same in a cosine.
    """

    name = "colour-hog"
    input = "picture"
    Settings = ColourHogSettings
    batch_size = 256

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return 288 + 128

    def prepare(self, content: Any) -> Prepared:
        """Decode the picture and describe it: all the work is here, in the worker thread."""
        picture = decode(content, at_least=SIDE).resize((SIDE, SIDE), Image.Resampling.BOX)
        return Prepared(np.concatenate([_shapes(picture), _colours(picture)]))

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Stack the descriptions."""
        return np.stack(prepared).astype(np.float32)


def _shapes(picture: Image.Image) -> NDArray[np.float64]:
    from skimage.feature import hog

    grey = np.asarray(picture.convert("L"), np.float64) / 255.0
    return _unit(hog(grey, orientations=8, pixels_per_cell=(16, 16), cells_per_block=(2, 2)))


def _colours(picture: Image.Image) -> NDArray[np.float64]:
    values = np.asarray(picture.convert("HSV"), np.int64).reshape(-1, 3)
    cells = (values[:, 0] // 32) * 16 + (values[:, 1] // 64) * 4 + values[:, 2] // 64
    return _unit(np.sqrt(np.bincount(cells, minlength=128)))


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values / max(float(np.linalg.norm(values)), 1e-12)
