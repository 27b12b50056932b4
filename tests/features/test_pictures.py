from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from irisrec.errors import FeatureError
from irisrec.features.pictures import decode, quiet_pillow, read_bytes
from tests.features.content import as_bytes, picture


def colour(image: Image.Image) -> tuple[int, int, int]:
    return image.getpixel((image.width // 2, image.height // 2))


def refused(data: bytes) -> str:
    with pytest.raises(FeatureError) as caught, quiet_pillow():
        decode(data)
    return str(caught.value)


def test_transparent_pixels_are_white():
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert colour(decode(as_bytes(image))) == (255, 255, 255)
    half = Image.new("LA", (8, 8), (0, 128))
    assert colour(decode(as_bytes(half))) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour_is_composited_on_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([9, 9, 9, 0, 200, 0])
    assert colour(decode(as_bytes(image))) == (0, 200, 0)
    assert colour(decode(as_bytes(image, transparency=1))) == (255, 255, 255)
    assert colour(decode(as_bytes(image, "GIF", transparency=1))) == (255, 255, 255)


def test_sixteen_bits_keep_their_grey():
    values = np.full((8, 8), 32768, np.uint16)
    assert colour(decode(as_bytes(Image.fromarray(values)))) == (127, 127, 127)


def test_float_pixels_from_zero_to_one_keep_their_grey():
    image = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    assert colour(decode(as_bytes(image, "TIFF"))) == (127, 127, 127)


def test_cmyk_becomes_the_colour_that_a_viewer_shows():
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red = colour(decode(as_bytes(image, "JPEG", quality=95)))
    assert red[0] > 240
    assert max(red[1:]) < 20


def test_an_animation_is_its_first_frame():
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    data = as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert colour(decode(data)) == (255, 0, 0)


def test_a_rotated_photo_is_turned_upright():
    image = Image.new("RGB", (40, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(as_bytes(image, "JPEG", exif=exif)).size == (20, 40)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size():
    data = as_bytes(picture(0, (1600, 1200)), "JPEG")
    assert decode(data, at_least=64).size == (200, 150)
    assert decode(data).size == (1600, 1200)


def test_one_pixel_and_thirty_thousand_pixels_are_pictures():
    assert decode(as_bytes(Image.new("RGB", (1, 1), "red"))).size == (1, 1)
    assert decode(as_bytes(Image.new("RGB", (30_000, 20), "red"))).size == (30_000, 20)


def test_truncated_pictures_say_that_they_are_damaged():
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        data = as_bytes(picture(0, (300, 300)), kind)
        assert "damaged" in refused(data[: len(data) // 2]), kind


def test_text_named_jpg_is_not_a_picture():
    assert "not a picture" in refused(b"<html>404 not found</html>")


def bomb(width: int, height: int) -> bytes:
    """Build a PNG that claims to be enormous and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [11_000, 60_000])
def test_decompression_bombs_are_refused_before_they_are_decoded(side):
    assert "pixels" in refused(bomb(side, side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_no_damage_makes_anything_but_a_picture_or_a_reason(kind):
    rng = np.random.default_rng(0)
    whole = as_bytes(picture(0), kind)
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 5):
            data[place] = int(rng.integers(0, 256))
        try:
            with quiet_pillow():
                assert decode(bytes(data)).mode == "RGB"
        except FeatureError:
            continue


def test_files_that_cannot_be_read_say_why(tmp_path):
    (tmp_path / "empty.jpg").touch()
    for name, reason in (
        ("empty.jpg", "empty"),
        ("missing.jpg", "not there"),
        (".", "cannot be read"),
        ("a\0b", "cannot be read|not there"),
    ):
        with pytest.raises(FeatureError, match=reason):
            read_bytes(name, tmp_path)
