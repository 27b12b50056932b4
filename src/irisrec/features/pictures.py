"""Pictures as people store them become plain RGB, or one sentence that says why not."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from irisrec.errors import FeatureError

MAX_PIXELS = 100_000_000
MAX_BYTES = 200_000_000


def read_bytes(source: str | bytes, root: Path = Path()) -> bytes:
    """Return the bytes of a picture, given its path or the bytes themselves."""
    if isinstance(source, bytes):
        return _not_empty(source)
    try:
        with (root / source).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise FeatureError(f"the file has {size:,} bytes, more than the limit of {MAX_BYTES:,}")
            return _not_empty(file.read())
    except FileNotFoundError:
        raise FeatureError("the file is not there") from None
    except (OSError, ValueError) as error:
        raise FeatureError(f"the file cannot be read: {_words(error)}") from None


def decode(data: bytes, at_least: int | None = None) -> Image.Image:
    """Decode a picture to RGB, upright, on white, the first frame where it is animated.

    Args:
        data: the bytes of the file, in any format that Pillow reads.
        at_least: the shorter side that is needed; a large JPEG is then decoded at a fraction of its size.

    Raises:
        FeatureError: damaged, not a picture, or more pixels than `MAX_PIXELS`.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if at_least is not None:
                picture.draft(None, (at_least, at_least))
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise FeatureError(
                    f"the picture has {width:,} x {height:,} pixels, more than the limit of {MAX_PIXELS:,}"
                )
            picture.load()
            ImageOps.exif_transpose(
                picture, in_place=True
            )  # which spares a copy of the many that stand upright
            return _to_rgb(picture)
    except FeatureError:
        raise
    except UnidentifiedImageError:
        raise FeatureError("the file is not a picture of a known format") from None
    except Image.DecompressionBombError:
        raise FeatureError("the picture has so many pixels that it could be a decompression bomb") from None
    except Exception as error:  # damaged files reach every corner of a decoder
        raise FeatureError(f"the picture is damaged: {_words(error)}") from None


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow from printing warnings about odd files; enter before worker threads start."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\..*")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise FeatureError("the file is empty (0 bytes)")
    return data


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        return _from_wide(picture).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return picture.convert("RGB")


def _from_wide(picture: Image.Image) -> Image.Image:
    """Bring 16-bit, 32-bit and float grey values to 0…255; Pillow's own conversion would clip them."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    top = values.max(initial=0.0)
    if picture.mode == "F" and top <= 1.0:
        scale = 255.0
    elif top <= 255.0 and not picture.mode.startswith("I;16"):
        scale = 1.0
    else:
        scale = 255.0 / max(top, 65535.0)
    return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8))


def _words(error: Exception) -> str:
    """Put a library's error on one short line, without addresses of objects."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text if " at 0x" not in text else type(error).__name__
    return text[:120]
