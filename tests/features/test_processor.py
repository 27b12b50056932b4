"""Pixels in two parts must be the pixels of the model's own processor, and odd processors must run themselves."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from irisrec.features.encoders.processor import PictureProcessor
from tests.features.content import picture

transformers = pytest.importorskip("transformers")

SIZES = (33, 50), (300, 201), (64, 64), (1, 1), (2, 40), (500, 333)
SQUARE = {"height": 32, "width": 32}
USUAL = {
    "cropped ConvNeXT, as ResNet has it": ("ConvNextImageProcessor", {"size": {"shortest_edge": 56}}),
    "warped ConvNeXT": ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
    "CLIP": ("CLIPImageProcessor", {"size": {"shortest_edge": 32}, "crop_size": SQUARE}),
    "a crop of odd size": (
        "CLIPImageProcessor",
        {"size": {"shortest_edge": 40}, "crop_size": {"height": 31, "width": 33}},
    ),
    "ViT": ("ViTImageProcessor", {"size": {"height": 24, "width": 40}}),
    "DeiT": ("DeiTImageProcessor", {"size": {"height": 40, "width": 40}, "crop_size": SQUARE}),
    "SigLIP": ("SiglipImageProcessor", {"size": SQUARE, "resample": 1}),
    "nothing but size": ("ViTImageProcessor", {"size": SQUARE, "do_rescale": False, "do_normalize": False}),
}
UNUSUAL = {
    "a crop larger than the picture": (
        "CLIPImageProcessor",
        {"size": {"shortest_edge": 24}, "crop_size": SQUARE},
    ),
    "values moved by an offset": (
        "EfficientNetImageProcessor",
        {"size": SQUARE, "rescale_offset": True, "do_normalize": False},
    ),
    "two limits of size": ("ViTImageProcessor", {"size": {"shortest_edge": 32, "longest_edge": 32}}),
}


def both_ways(
    kind: str, options: dict, size: tuple[int, int]
) -> tuple[PictureProcessor, np.ndarray, np.ndarray]:
    own = getattr(transformers, kind)(**options)
    processor, drawn = PictureProcessor(own), picture(1, size)
    found = processor.batch([processor.pixels(drawn)], "cpu")[0].numpy()
    expected = own(np.asarray(drawn), input_data_format="channels_last", return_tensors="np")["pixel_values"][
        0
    ]
    return processor, found, expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", USUAL)
def test_resized_cropped_and_scaled_pictures_are_those_of_the_processor(name, size):
    processor, found, expected = both_ways(*USUAL[name], size)
    assert processor.steps is not None
    assert processor.identity == "pillow"
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_processor_that_does_anything_else_runs_itself(name):
    processor, found, expected = both_ways(*UNUSUAL[name], (64, 64))
    assert processor.steps is None
    np.testing.assert_array_equal(found, expected)


def test_what_a_processor_says_is_tried_out_before_it_is_believed():
    class Mirroring(transformers.ViTImageProcessor):
        def __call__(self, image, **kwargs):
            return super().__call__(image[:, ::-1], **kwargs)

    processor = PictureProcessor(Mirroring(size=SQUARE))
    assert processor.steps is None
    assert processor.identity == "Mirroring"
    assert processor.pixels(Image.new("RGB", (9, 9))).shape == (3, 32, 32)


def test_pictures_of_a_batch_keep_their_order():
    processor = PictureProcessor(transformers.ViTImageProcessor(size=SQUARE))
    pixels = [processor.pixels(picture(seed)) for seed in range(3)]
    batch = processor.batch(pixels, "cpu").numpy()
    for row in range(3):
        np.testing.assert_array_equal(batch[row], processor.batch(pixels[row : row + 1], "cpu")[0])
