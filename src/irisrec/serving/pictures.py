"""Pictures of catalog items, small and encoded anew: no file leaves the machine as it is, and no other file at all."""

from __future__ import annotations

import io
from collections import OrderedDict
from threading import Lock

from PIL import Image

from irisrec.errors import FeatureError
from irisrec.features.pictures import decode, read_bytes
from irisrec.ids import Id
from irisrec.serving.errors import NotFoundError
from irisrec.serving.served import Served

FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "TIFF",
)  # that may be sent; some others start programs to be read
_KEPT = 64 << 20  # bytes of scaled pictures


class Pictures:
    """Scales pictures down and remembers those asked for lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._n_bytes = 0
        self._lock = Lock()

    def of(self, served: Served, item_id: Id, size: int, added: bytes | None = None) -> bytes:
        """Return an item's picture as WebP, its longer side ``size`` pixels at most.

        Args:
            served: whose catalog names the file.
            item_id: of the item.
            size: in pixels.
            added: the file of an item that was added since the training.

        Raises:
            NotFoundError: an item that is not in the catalog, has no picture, or one that cannot be read.
        """
        row = int(served.items.lookup([item_id])[0])
        path = served.recommender.catalog.frame["picture"][row] if row >= 0 else None
        picture = added or path
        if not picture:
            raise NotFoundError(f"there is no picture of an item {item_id!r}")
        try:
            return self._scaled(f"item {item_id!r}" if added else f"file {path}", picture, size)
        except FeatureError:  # whose message may name a path of this machine
            raise NotFoundError(f"the picture of item {item_id!r} cannot be read any more") from None

    def _scaled(self, name: str, picture: str | bytes, size: int) -> bytes:
        """Return a picture from those that are kept by name, or make it; the file as it was sent is not kept."""
        with self._lock:
            if (found := self._kept.get((name, size))) is not None:
                self._kept.move_to_end((name, size))
                return found
        made = scaled(picture, size)
        with self._lock:
            self._n_bytes += len(made) - len(self._kept.pop((name, size), b""))
            self._kept[name, size] = made
            while self._n_bytes > _KEPT:
                _, oldest = self._kept.popitem(last=False)
                self._n_bytes -= len(oldest)
        return made


def check_pixels(data: bytes, most: int) -> None:
    """Raise a FeatureError for what is no picture, or one of too many pixels, before any of them is unpacked."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        raise FeatureError(f"the picture has more than the {most:,} pixels that may be sent here") from None
    except Exception:  # a damaged header reaches every corner of a decoder
        raise FeatureError(f"the file is not a picture; it may be {', '.join(FORMATS)}") from None
    if width * height > most:
        raise FeatureError(
            f"the picture has {width:,} x {height:,} pixels, more than the {most:,} that may be sent here"
        )


def scaled(picture: str | bytes, size: int) -> bytes:
    """Return a picture as WebP, its longer side ``size`` pixels at most."""
    small = decode(read_bytes(picture), at_least=size)
    small.thumbnail((size, size))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=82, method=4)
    return data.getvalue()
