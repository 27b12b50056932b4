"""The two editions of the Amazon data: names of their fields and files, and how a product becomes a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Edition:
    """How one edition writes its files.

    Attributes:
        user, item, time, rating: fields of a review.
        reviews, metadata: patterns of the file names.
        id_pattern: finds the item id in a line of the metadata without parsing it.
        item_row: turns a record of the metadata into a row of the catalog.
    """

    user: str
    item: str
    time: str
    rating: str
    reviews: tuple[str, ...]
    metadata: tuple[str, ...]
    id_pattern: re.Pattern[bytes]
    item_row: Callable[[dict[str, Any]], dict[str, Any]]


def _row_2014(record: dict[str, Any]) -> dict[str, Any]:
    paths = [path for path in _list(record.get("categories")) if isinstance(path, list)]
    names = list(dict.fromkeys(name for path in paths for name in path if isinstance(name, str)))
    return {
        "item_id": _text(record.get("asin")),
        "title": _text(record.get("title")),
        "description": _text(record.get("description")),
        "brand": _text(record.get("brand")),
        "price": _price(record.get("price")),
        "category": _text(paths[0][-1]) if paths and paths[0] else None,
        "categories": names,
        "picture_url": _text(record.get("imUrl")),
    }


def _row_2023(record: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in _list(record.get("categories")) if isinstance(name, str)]
    parts = [*_list(record.get("features")), *_list(record.get("description"))]
    return {
        "item_id": _text(record.get("parent_asin")),
        "title": _text(record.get("title")),
        "description": _text("\n".join(part for part in parts if isinstance(part, str))),
        "brand": _text(record.get("store")),
        "price": _price(record.get("price")),
        "category": names[-1] if names else _text(record.get("main_category")),
        "categories": names,
        "picture_url": _picture_2023(record.get("images")),
    }


def _picture_2023(images: Any) -> str | None:
    """Address of the main picture, the large size first; a list of pictures, or a dict of lists by size."""
    if isinstance(images, dict):
        sizes = {size: _list(urls) for size, urls in images.items()}
        count = max(map(len, sizes.values()), default=0)
        images = [{size: urls[i] for size, urls in sizes.items() if i < len(urls)} for i in range(count)]
    pictures = [picture for picture in _list(images) if isinstance(picture, dict)]
    pictures.sort(key=lambda picture: picture.get("variant") != "MAIN")
    sizes_wanted = ("large", "hi_res", "thumb")
    return next((url for p in pictures for size in sizes_wanted if (url := _text(p.get(size)))), None)


def _text(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _price(value: Any) -> float | None:
    """A number of dollars; text such as "$12.99" is read, ranges and words are not."""
    if isinstance(value, str):
        value = value.strip().removeprefix("$").replace(",", "")
    try:
        price = float(value)
    except (TypeError, ValueError):
        return None
    return price if 0 <= price < 1e9 else None


EDITION_2014 = Edition(
    user="reviewerID",
    item="asin",
    time="unixReviewTime",
    rating="overall",
    reviews=("reviews_*_5.json.gz", "reviews_*_5.json"),
    metadata=("meta_*.json.gz", "meta_*.json"),
    id_pattern=re.compile(rb"""["']asin["']\s*:\s*["']([^"']+)["']"""),
    item_row=_row_2014,
)
EDITION_2023 = Edition(
    user="user_id",
    item="parent_asin",
    time="timestamp",
    rating="rating",
    reviews=("*.jsonl.gz", "*.jsonl"),
    metadata=("meta_*.jsonl.gz", "meta_*.jsonl"),
    id_pattern=re.compile(rb'"parent_asin"\s*:\s*"([^"]+)"'),
    item_row=_row_2023,
)
