"""Colours and shapes of a picture, with no downloaded weights: the default for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisrec.features.encoders.base import ContentEncoder, EncoderSettings, Prepared
from irisrec.features.encoders.hog import hog
from irisrec.features.encoders.lab import Lab, lab
from irisrec.features.pictures import decode

SIDE = 64
ORIENTATIONS, CELL = 8, 16
CELLS = 6  # rows and columns of the colour layout
SHAPES, COLOURS, LAYOUT = 288, 180, 108


class Scale(NamedTuple):
    """Equal steps from the first to the last bin of one direction of the Lab histogram."""

    first: float
    last: float
    bins: int
    stride: int  # from one bin to the next, in the flat histogram


SCALES = Scale(0, 100, 5, 36), Scale(-60, 60, 6, 6), Scale(-60, 60, 6, 1)


class ColourHog(ContentEncoder):
    """Three descriptions of a picture, each of length one, so that they weigh the same in a cosine.

    Shapes: histograms of oriented gradients of a small grey picture (288 numbers). Colours: a Lab histogram in which a
    pixel is shared between neighbouring bins, so that a slightly different light changes little (180). Layout: the
    colours of 6 x 6 fields, where in the picture which colour is (108).
    """

    name = "colour-hog"
    version = 3
    input = "picture"
    Settings = EncoderSettings
    batch_size = 64

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return SHAPES + COLOURS + LAYOUT

    def prepare(self, content: Any) -> Prepared:
        """Decode the picture and make it small; Pillow does both without holding up the other threads."""
        picture = decode(content, at_least=SIDE).resize((SIDE, SIDE), Image.Resampling.BOX)
        fields = picture.resize((CELLS, CELLS), Image.Resampling.BOX)
        return Prepared(tuple(map(np.asarray, (picture.convert("L"), picture.reduce(2), fields))))

    def encode(self, prepared: Sequence[Any]) -> NDArray[np.float32]:
        """Describe a batch of small pictures."""
        grey, pixels, fields = map(np.stack, zip(*prepared, strict=True))
        parts = (
            _unit(hog(grey, ORIENTATIONS, CELL)),
            _unit(_colours(lab(pixels))),
            _unit(_layout(lab(fields))),
        )
        return np.concatenate(parts, axis=1, dtype=np.float32)


def _colours(pixels: Lab) -> NDArray[np.float64]:
    """Histograms of (n, height, width) pixels, each shared linearly between the eight bins around it."""
    n = len(pixels.lightness)
    corner = np.arange(n)[:, None] * COLOURS  # the lowest of a pixel's eight bins, (n, pixels)
    shares = []
    for values, scale in zip(pixels, SCALES, strict=True):
        place = (values.reshape(n, -1) - scale.first) * ((scale.bins - 1) / (scale.last - scale.first))
        place = place.clip(0, scale.bins - 1)
        below = np.minimum(np.floor(place), scale.bins - 2)
        shares.append((1 - (place - below), place - below))
        corner = corner + below.astype(np.intp) * scale.stride
    histograms = np.zeros(n * COLOURS)
    for ends in product((0, 1), repeat=3):
        first, second, third = (share[end] for share, end in zip(shares, ends, strict=True))
        bins = corner + sum(scale.stride for scale, end in zip(SCALES, ends, strict=True) if end)
        histograms += np.bincount(bins.ravel(), (first * second * third).ravel(), minlength=n * COLOURS)
    return np.sqrt(histograms).reshape(n, COLOURS)


def _layout(fields: Lab) -> NDArray[np.float64]:
    values = [(fields.lightness - 50) / 50, fields.red / 40, fields.yellow / 40]
    return np.stack(values, axis=-1, dtype=np.float64).reshape(len(fields.lightness), -1)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))
