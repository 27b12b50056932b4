"""The weight-free picture encoder against scikit-image, the library that people know these numbers from."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab
from skimage.feature import hog as skimage_hog

from irisrec.features.encoders.base import EncoderSettings
from irisrec.features.encoders.colour_hog import COLOURS, LAYOUT, SCALES, SHAPES, ColourHog, _colours
from irisrec.features.encoders.hog import hog
from irisrec.features.encoders.lab import Lab, lab
from tests.features.content import as_bytes, picture

RNG = np.random.default_rng(0)
SMOOTH = gaussian_filter(RNG.normal(size=(4, 64, 64, 3)), (0, 3, 3, 0)) * 600 + 128
PICTURES = {
    "noise": RNG.integers(0, 256, (4, 64, 64, 3)),
    "smooth, as photos are": SMOOTH.clip(0, 255),
    "few greys, many diagonals": RNG.integers(0, 4, (4, 64, 64, 3)) * 20,
    "one colour": np.full((4, 64, 64, 3), (200, 30, 90)),
    "drawn": np.stack([np.asarray(picture(seed, (64, 64))) for seed in range(4)]),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize(("orientations", "cell"), [(8, 16), (9, 8)])
def test_histograms_of_gradients_are_those_of_scikit_image(kind, orientations, cell):
    grey = PICTURES[kind][..., 1].astype(np.uint8)
    expected = [
        skimage_hog(one.astype(float), orientations, (cell, cell), (2, 2), block_norm="L2-Hys")
        for one in grey
    ]
    np.testing.assert_allclose(hog(grey, orientations, cell), expected, atol=1e-6)


def test_pictures_that_are_not_square_have_their_own_blocks():
    grey = RNG.integers(0, 256, (2, 48, 80), dtype=np.uint8)
    expected = [skimage_hog(one.astype(float), 8, (16, 16), (2, 2)) for one in grey]
    np.testing.assert_allclose(hog(grey, 8, 16), expected, atol=1e-6)


@pytest.mark.parametrize("kind", PICTURES)
def test_lab_colours_are_those_of_scikit_image(kind):
    pixels = PICTURES[kind].astype(np.uint8)
    np.testing.assert_allclose(np.stack(lab(pixels), axis=-1), rgb2lab(pixels), atol=1e-3)


def test_a_pixel_is_shared_between_the_eight_bins_around_it():
    pixels = Lab(*RNG.uniform([0, -70, -70], [100, 70, 70], (3, 10, 10, 3)).transpose(3, 0, 1, 2))
    expected = np.zeros((3, COLOURS))
    for place in product(range(3), range(10), range(10)):
        shares = [np.ones(1)]
        for values, scale in zip(pixels, SCALES, strict=True):
            x = np.interp(values[place], (scale.first, scale.last), (0, scale.bins - 1))
            shares.append(np.maximum(1 - np.abs(x - np.arange(scale.bins)), 0))
        expected[place[0]] += np.einsum("i,j,k,l", *shares).ravel()
    np.testing.assert_allclose(_colours(pixels) ** 2, expected, atol=1e-5)
    np.testing.assert_allclose(expected.sum(axis=1), 100)


def test_each_part_has_length_one_and_batches_change_nothing():
    encoder = ColourHog(EncoderSettings())
    prepared = [encoder.prepare(as_bytes(picture(seed, (90, 70)))).value for seed in range(5)]
    values = encoder.encode(prepared)
    for part in np.split(values, [SHAPES, SHAPES + COLOURS], axis=1):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1, atol=1e-6)
    assert values.shape == (5, SHAPES + COLOURS + LAYOUT)
    np.testing.assert_array_equal(np.concatenate([encoder.encode([one]) for one in prepared]), values)


def test_a_picture_without_edges_has_no_shapes():
    encoder = ColourHog(EncoderSettings())
    (values,) = encoder.encode([encoder.prepare(as_bytes(Image.new("RGB", (40, 40), "red"))).value])
    assert not values[:SHAPES].any()
    assert np.isfinite(values).all()
