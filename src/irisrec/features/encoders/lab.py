"""CIE L*a*b*, where distances are about as large as people see them, from sRGB with the white of daylight (D65)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_VALUES = np.arange(256) / 255
_LINEAR = np.where(_VALUES > 0.04045, ((_VALUES + 0.055) / 1.055) ** 2.4, _VALUES / 12.92).astype(np.float32)
_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_SHARES = (_TO_XYZ / _WHITE[:, None]).astype(np.float32)  # of red, green and blue in x, y and z
_DARK = np.float32(0.008856)  # below it a straight line takes the place of the cube root


class Lab(NamedTuple):
    """Lightness 0…100, from green to red, and from blue to yellow; arrays of one shape."""

    lightness: NDArray[np.float32]
    red: NDArray[np.float32]
    yellow: NDArray[np.float32]


def lab(pixels: NDArray[np.uint8]) -> Lab:
    """Convert 8-bit sRGB pixels, (..., 3) -> three times (...)."""
    red, green, blue = (_LINEAR.take(pixels[..., channel]) for channel in range(3))
    x, y, z = (_curve(red * of[0] + green * of[1] + blue * of[2]) for of in _SHARES)
    return Lab(116 * y - 16, 500 * (x - y), 200 * (y - z))


def _curve(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cube root, by logarithms because NumPy's own takes three times as long."""
    root = np.exp(np.log(np.maximum(light, _DARK)) / np.float32(3))
    return np.where(light > _DARK, root, np.float32(7.787) * light + np.float32(16 / 116))
