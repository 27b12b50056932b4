"""The built-in shop: a small generated world in which the cause of every interaction is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.data.interactions import Interactions
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.pictures import Pictures
from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.texts import write_texts, write_titles
from irisrec.data.planted.world import (
    NOISE,
    Traits,
    describe_interests,
    draw_interactions,
    draw_tastes,
    draw_times,
)


@dataclass(frozen=True)
class Shop:
    """A generated shop with its planted truth.

    Attributes:
        options: what it was made from; the same options give the same shop.
        interactions: with a time, in seconds since 1970, on every one.
        catalog: id, title, text, category and price; the paths of the pictures only once they are written.
        pictures: one per item, in catalog order, drawn when asked for.
        causes: one row per interaction: user_id, item_id, interest and modality (image, text or both); both are null
            where the interaction is noise.
        interests: interest, modality, description in words.
        item_interests: (n_items, n_interests) bool, which item carries which interest.
        user_interests: (n_users, n_interests) float32, each user's shares, 0 where not interested.
    """

    options: ShopOptions
    interactions: Interactions
    catalog: Catalog
    pictures: Pictures
    causes: pl.DataFrame
    interests: pl.DataFrame
    item_interests: NDArray[np.bool_]
    user_interests: NDArray[np.float32]

    def write(self, folder: Path) -> Shop:
        """Write ordinary files to a folder and return the shop with the paths of its pictures.

        ``interactions.csv``, ``items.csv`` and ``pictures/ITEM.png`` are what any data set has; the planted truth
        lies beside them in ``causes.csv`` and ``interests.csv``.
        """
        from irisrec.data.planted.folder import write_shop

        return write_shop(self, Path(folder))


def make_shop(seed: int = 0, n_users: int = 3000, n_items: int = 600, **options: Any) -> Shop:
    """Generate a shop in memory; see `ShopOptions` for the other options."""
    given = {"seed": seed, "n_users": n_users, "n_items": n_items, **options}
    return shop_from(ShopOptions.read(given, "data.shop"))


def shop_from(options: ShopOptions) -> Shop:
    """Generate the shop that the options describe."""
    # Each part has its own stream: options of the users leave the catalog as it is.
    traits_rng, words_rng, tastes_rng, events_rng, times_rng = np.random.default_rng(options.seed).spawn(5)
    traits = Traits.draw(options, traits_rng)
    catalog = _catalog(options, traits, words_rng)
    carries = traits.interests(options)
    tastes = draw_tastes(options, tastes_rng)
    users, items, causes = draw_interactions(options, carries, tastes, events_rng)
    times = draw_times(users, times_rng)
    user_ids = np.array([f"u{user + 1:04d}" for user in range(options.n_users)])
    item_ids = catalog.frame["item_id"].to_numpy()
    pairs = pl.DataFrame({"user_id": user_ids[users], "item_id": item_ids[items], "time": times})
    interests = describe_interests(options)
    return Shop(
        options=options,
        interactions=Interactions(pairs),
        catalog=catalog,
        pictures=Pictures(traits.kind, traits.style, options.seed),
        causes=_causes(pairs, causes, interests),
        interests=interests,
        item_interests=carries,
        user_interests=tastes,
    )


def _catalog(options: ShopOptions, traits: Traits, rng: np.random.Generator) -> Catalog:
    prices = np.round(np.exp(rng.normal(3.2, 0.5, options.n_items))) - 0.1
    return Catalog.of(
        pl.DataFrame(
            {
                "item_id": [f"p{item + 1:04d}" for item in range(options.n_items)],
                "title": write_titles(traits.kind, rng),
                "text": write_texts(traits.kind, traits.theme, rng),
                "category": [KINDS[kind].plural for kind in traits.kind],
                "price": prices.round(2),
            }
        )
    )


def _causes(pairs: pl.DataFrame, causes: NDArray[np.int64], interests: pl.DataFrame) -> pl.DataFrame:
    cause = pl.Series("interest", causes).replace(NOISE, None)
    return (
        pairs.select("user_id", "item_id")
        .with_columns(cause)
        .join(interests.select("interest", "modality"), on="interest", how="left", maintain_order="left")
    )
