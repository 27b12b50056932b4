"""Product pictures of the built-in shop, drawn on demand: a kind's outline cut from a style's cloth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from irisrec.data.planted.patterns import STYLES, TILE
from irisrec.data.planted.silhouettes import CANVAS, KINDS

SIZE = 128


@cache
def _tile(style: int) -> Image.Image:
    return STYLES[style].tile()


@dataclass(frozen=True)
class Pictures(Sequence[Image.Image]):
    """The pictures of all items, each drawn when it is asked for: 128 × 128, RGB, always the same.

    Attributes:
        kinds, styles: (n_items,) index into ``KINDS`` and ``STYLES``.
        seed: where each item's cut, scale and light come from.
    """

    kinds: NDArray[np.int64]
    styles: NDArray[np.int64]
    seed: int

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Image.Image]: ...
    def __getitem__(self, index: int | slice) -> Image.Image | Sequence[Image.Image]:
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        row = range(len(self))[index]
        rng = np.random.default_rng([self.seed, row])
        return draw_product(int(self.kinds[row]), int(self.styles[row]), rng)


def draw_product(kind: int, style: int, rng: np.random.Generator) -> Image.Image:
    """Draw one product; ``rng`` decides which piece of the cloth is used, its scale and the light."""
    product = KINDS[kind]
    span = int(CANVAS * rng.uniform(0.92, 1.12))
    left, top = rng.integers(0, TILE - span, 2).tolist()
    cloth = (
        _tile(style)
        .crop((left, top, left + span, top + span))
        .resize((CANVAS, CANVAS), Image.Resampling.BILINEAR)
    )
    light = rng.uniform(0.94, 1.05)
    cloth = cloth.point(lambda v: min(255, v * light))
    cloth.paste("#1b1420", (0, 0), product.shading)
    picture = product.backdrop.copy()
    picture.paste(cloth, (0, 0), product.mask)
    product.front(ImageDraw.Draw(picture))
    return picture.reduce(CANVAS // SIZE)
