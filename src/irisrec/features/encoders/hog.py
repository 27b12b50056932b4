"""Histograms of oriented gradients (Dalal and Triggs, 2005), for a batch of grey pictures at once.

The numbers are those of ``skimage.feature.hog`` on the same grey values with blocks of 2 x 2 cells and L2-Hys. Grey
values are whole numbers, so a gradient is a pair of whole numbers from -255 to 255: its length and its orientation
stand in a table, and a picture costs two look-ups and one count per pixel.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

STEPS = 2 * 255 + 1  # values that a difference of two grey values takes
BLOCK = 2  # rows and columns of cells in a block
CLIP = 0.2  # the "Hys" of L2-Hys: no direction may rule a block
EPSILON = 1e-10


def hog(grey: NDArray[np.uint8], orientations: int, cell: int) -> NDArray[np.float64]:
    """Describe pictures by the directions of their edges, cell by cell.

    Shape: grey (n, height, width), whole cells in both directions -> (n, blocks down * blocks across * 4 *
    orientations), where neighbouring blocks share cells.

    Args:
        grey: the pictures.
        orientations: equal ranges into which half a turn is cut.
        cell: side of a cell in pixels.
    """
    down, across = grey.shape[1] // cell, grey.shape[2] // cell
    size = down * across * orientations  # bins of one picture
    rows, columns = np.arange(grey.shape[1]) // cell, np.arange(grey.shape[2]) // cell
    first = (rows[:, None] * across + columns) * orientations + np.arange(len(grey))[:, None, None] * size
    gradients = _gradients(grey)
    lengths, ranges = _table(orientations)
    bins = first + ranges.take(gradients, mode="clip")  # nothing to clip: this spares the check of the range
    weights = lengths.take(gradients, mode="clip")
    counted = np.bincount(bins.ravel(), weights.ravel(), minlength=len(grey) * size)
    cells = counted.reshape(len(grey), down, across, orientations) / cell**2
    blocks = np.stack(
        [
            cells[:, row : down - 1 + row, column : across - 1 + column]
            for row in range(BLOCK)
            for column in range(BLOCK)
        ],
        axis=3,
    ).reshape(len(grey), down - 1, across - 1, -1)
    return _unit(np.minimum(_unit(blocks), CLIP)).reshape(len(grey), -1)


def _gradients(grey: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the central differences of each pixel as one number, a row of the table; at the border they are 0."""
    values = grey.astype(np.int16)
    pairs = np.full(grey.shape, STEPS * 255 + 255, np.intp)
    pairs[:, 1:-1] += (values[:, 2:] - values[:, :-2]).astype(np.intp) * STEPS
    pairs[:, :, 1:-1] += values[:, :, 2:] - values[:, :, :-2]
    return pairs


@cache
def _table(orientations: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return length and range of orientation of every gradient, small numbers so that they stay in the cache."""
    steps = np.arange(STEPS) - 255.0
    down, across = np.meshgrid(steps, steps, indexing="ij")
    degrees = np.rad2deg(np.arctan2(down, across)) % 180
    ranges = degrees // (180 / orientations)
    return np.hypot(down, across).astype(np.float32).ravel(), ranges.astype(np.uint8).ravel()


def _unit(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + EPSILON))
