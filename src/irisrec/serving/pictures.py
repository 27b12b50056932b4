"""Pictures of catalog items, small and encoded anew: no file leaves the machine as it is, and no other file at all."""

from __future__ import annotations

import io
from functools import lru_cache

from irisrec.errors import FeatureError
from irisrec.features.pictures import decode, read_bytes
from irisrec.ids import Id
from irisrec.serving.errors import NotFoundError
from irisrec.serving.served import Served

_KEPT = 2048


class Pictures:
    """Scales pictures down and remembers those asked for lately."""

    def __init__(self) -> None:
        self._small = lru_cache(_KEPT)(_small)

    def of(self, served: Served, item_id: Id, size: int) -> bytes:
        """Return an item's picture as WebP, its longer side ``size`` pixels at most.

        Raises:
            NotFoundError: an item that is not in the catalog, has no picture, or one that cannot be read.
        """
        row = int(served.items.lookup([item_id])[0])
        path = served.recommender.catalog.frame["picture"][row] if row >= 0 else None
        if not path:
            raise NotFoundError(f"there is no picture of an item {item_id!r}")
        try:
            return self._small(path, size)
        except FeatureError:  # whose message may name a path of this machine
            raise NotFoundError(f"the picture of item {item_id!r} cannot be read any more") from None


def _small(path: str, size: int) -> bytes:
    small = decode(read_bytes(path), at_least=size)
    small.thumbnail((size, size))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=82, method=4)
    return data.getvalue()
