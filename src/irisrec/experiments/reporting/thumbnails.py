"""Small copies of pictures that travel inside the page."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

from irisrec.errors import FeatureError

LARGEST = 160  # pixels of the longer side: sharp at half the size on a dense screen


class Thumbnails:
    """Pictures of a catalog as data URIs.

    Args:
        root: folder that relative paths start from.

    Attributes:
        unreadable: pictures the catalog names that are not there any more or cannot be decoded, with the reason.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unreadable: dict[str, str] = {}
        self._make = lru_cache(maxsize=None)(self._uri)

    def of(self, picture: str | None, size: int = LARGEST) -> str | None:
        """Return a picture scaled down to ``size`` pixels at most, or None where there is none to show."""
        if not picture:
            return None
        try:
            return self._make(picture, min(size, LARGEST))
        except FeatureError as error:
            self.unreadable[picture] = str(error)
            return None

    def _uri(self, picture: str, size: int) -> str:
        from irisrec.features.pictures import decode, quiet_pillow, read_bytes

        with quiet_pillow():
            small = decode(read_bytes(picture, self.root), at_least=size)
            small.thumbnail((size, size))
        data = io.BytesIO()
        small.save(data, "WEBP", quality=80, method=4)
        return "data:image/webp;base64," + base64.b64encode(data.getvalue()).decode("ascii")
