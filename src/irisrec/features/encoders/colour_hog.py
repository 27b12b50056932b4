"""Colours and shapes of a picture, with no downloaded weights: the default for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisrec.features.encoders.base import ContentEncoder, EncoderSettings, Prepared
from irisrec.features.pictures import decode

SIDE = 64
CELLS = 6  # rows and columns of the colour layout
LIGHTNESS = (0.0, 100.0, 5)
OPPONENT = (-60.0, 60.0, 6)  # least, greatest and number of bins, for each of a* and b*
SHAPES, COLOURS, LAYOUT = 288, 180, 108


class ColourHog(ContentEncoder):
    """Three descriptions of a picture, each of length one, so that they weigh the same in a cosine.

    Shapes: histograms of oriented gradients of a small grey picture (288 numbers). Colours: a Lab histogram in which a
    pixel is shared between neighbouring bins, so that a slightly different light changes little (180). Layout: the
    colours of 6 x 6 fields, where in the picture which colour is (108).
    """

    name = "colour-hog"
    version = 2
    input = "picture"
    Settings = EncoderSettings
    batch_size = 64

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return SHAPES + COLOURS + LAYOUT

    def prepare(self, content: Any) -> Prepared:
        """Decode the picture and make it small; Pillow does both without holding up the other threads."""
        picture = decode(content, at_least=SIDE).resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=3.0)
        return Prepared((picture, picture.resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX)))

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Describe a batch of small pictures."""
        from skimage.color import rgb2lab

        pixels = np.stack([np.asarray(half) for _, half in prepared])
        fields = np.stack([np.asarray(p.resize((CELLS, CELLS), Image.Resampling.BOX)) for p, _ in prepared])
        shapes = np.stack([_shapes(picture) for picture, _ in prepared])
        parts = [shapes, _colours(rgb2lab(pixels)), _layout(rgb2lab(fields))]
        return np.concatenate([_unit(part) for part in parts], axis=1).astype(np.float32)


def _shapes(picture: Image.Image) -> NDArray[np.float64]:
    from skimage.feature import hog

    grey = np.asarray(picture.convert("L"), np.float64) / 255.0
    return np.asarray(hog(grey, orientations=8, pixels_per_cell=(16, 16), cells_per_block=(2, 2)))


def _colours(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Histograms of (n, height, width, 3) Lab pixels, each shared linearly between the eight bins around it."""
    n = len(lab)
    sizes = (LIGHTNESS[2], OPPONENT[2], OPPONENT[2])
    below, share = [], []
    for channel, (least, greatest, bins) in enumerate((LIGHTNESS, OPPONENT, OPPONENT)):
        place = (lab[..., channel].reshape(n, -1) - least) / (greatest - least) * (bins - 1)
        place = place.clip(0, bins - 1 - 1e-6)  # (n, pixels)
        below.append(place.astype(np.int64))
        share.append(place - below[-1])
    histograms = np.zeros(n * COLOURS)
    own = np.arange(n)[:, None] * COLOURS
    for corner in product((0, 1), repeat=3):
        cells = own + np.ravel_multi_index([b + c for b, c in zip(below, corner, strict=True)], sizes)
        weights = np.prod([s if c else 1 - s for s, c in zip(share, corner, strict=True)], axis=0)
        histograms += np.bincount(cells.ravel(), weights.ravel(), minlength=n * COLOURS)
    return np.sqrt(histograms).reshape(n, COLOURS)


def _layout(fields: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((fields - (50.0, 0.0, 0.0)) / (50.0, 40.0, 40.0)).reshape(len(fields), -1)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))
