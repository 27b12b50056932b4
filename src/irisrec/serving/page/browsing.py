"""Looking through the catalog: what people had most first, or what holds some words; a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from irisrec.serving.served import Served


@dataclass(frozen=True)
class Shelf:
    """One page of what was found.

    Attributes:
        rows: of the items.
        n_found: items on all pages.
        page, n_pages: counted from 1; at least one page, which may be empty.
    """

    rows: tuple[int, ...]
    n_found: int
    page: int
    n_pages: int


def browse(served: Served, words: str, page: int, per_page: int) -> Shelf:
    """Find the items that hold all words in id, title or text; those with all of them in the title come first.

    Of the others, and where no words are given, those that more of the known users had come first. A page beyond the
    last one is the last one.
    """
    frame = served.recommender.catalog.frame
    order = served.by_popularity
    if wanted := words.lower().split():
        title = pl.col("title").str.to_lowercase()
        everything = pl.concat_str(
            pl.col("item_id").cast(pl.String), title, pl.col("text").fill_null(""), separator="\n"
        ).str.to_lowercase()
        marks = frame.select(
            anywhere=pl.all_horizontal([everything.str.contains(word, literal=True) for word in wanted]),
            in_title=pl.all_horizontal([title.str.contains(word, literal=True) for word in wanted]),
        )
        order = order[marks["anywhere"].to_numpy()[order]]
        order = order[np.argsort(~marks["in_title"].to_numpy()[order], kind="stable")]
    n_pages = max(1, -(-len(order) // per_page))
    page = min(page, n_pages)
    return Shelf(tuple(order[(page - 1) * per_page : page * per_page].tolist()), len(order), page, n_pages)
