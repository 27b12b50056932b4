"""Bytes that claim to be a picture: whether they are one, whole, and under which name they are kept."""

from __future__ import annotations

import io
import warnings
from typing import Any
from urllib.parse import quote

from PIL import Image

from irisrec.data.collect.http import FetchError
from irisrec.files import sha256
from irisrec.ids import Id

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}


def check_picture(data: bytes, media_type: str = "", max_pixels: int = 60_000_000) -> dict[str, Any]:
    """Make sure that bytes are a whole picture; return its format, width, height and hash.

    Raises:
        FetchError: they are not, with kind ``not_a_picture``, ``cut_off`` or ``too_large``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=list(SUFFIXES)) as picture:
                form, (width, height) = str(picture.format), picture.size
    except Image.DecompressionBombError:
        raise FetchError("too_large", "a picture with far too many pixels", passing=False) from None
    except Exception:
        shown = f", the server calls it {media_type}" if media_type else ""
        raise FetchError(
            "not_a_picture", f"{len(data):,} bytes that are no picture{shown}", passing=False
        ) from None
    if width * height > max_pixels:
        raise FetchError(
            "too_large", f"{width} x {height} pixels, the limit is {max_pixels:,}", passing=False
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=list(SUFFIXES)) as picture:
                picture.draft("RGB", (32, 32))
                picture.load()
    except Exception:
        raise FetchError("cut_off", "a picture that does not decode to its end", passing=True) from None
    return {"format": form, "width": width, "height": height, "bytes": len(data), "sha256": sha256(data)}


def file_name(id: Id, form: str) -> str:
    """Give the name of an item's picture: its id, with everything quoted that a file name cannot hold.

    >>> file_name("a/../b", "PNG"), file_name(7, "JPEG")
    ('a%2F..%2Fb.png', '7.jpg')
    """
    quoted = quote(str(id), safe=" ")
    if len(quoted) > 180:
        quoted = f"{quoted[:120]}-{sha256(str(id))[:32]}"
    return quoted + SUFFIXES[form]
