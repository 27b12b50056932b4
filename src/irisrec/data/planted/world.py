"""What is planted: which item carries which interest, which user has it, and which interaction comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.patterns import STYLES
from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.themes import THEMES

NOISE = -1
FEWEST = 5  # a history of three is left when one interaction is held out for validation and one for test
FIRST_DAY, DAYS = 1_704_067_200, 365  # 1 January 2024, in seconds, and a year of trade


@dataclass(frozen=True)
class Traits:
    """The three independent traits of every item, each (n_items,)."""

    style: NDArray[np.int64]
    theme: NDArray[np.int64]
    kind: NDArray[np.int64]

    @classmethod
    def draw(cls, options: ShopOptions, rng: np.random.Generator) -> Traits:
        """Deal the traits like cards: all values of one trait equally often, independent of the others."""

        def deal(n: int) -> NDArray[np.int64]:
            return rng.permutation(np.arange(options.n_items) % n)

        return cls(deal(options.n_styles), deal(options.n_themes), deal(options.n_kinds))

    def interests(self, options: ShopOptions) -> NDArray[np.bool_]:
        """Return (n_items, n_interests): which item carries which interest."""
        carries = np.zeros((len(self.style), options.n_interests), bool)
        rows = np.arange(len(self.style))
        carries[rows, self.style] = True
        carries[rows, options.n_styles + self.theme] = True
        carries[rows, options.n_styles + options.n_themes + self.kind] = True
        return carries


def describe_interests(options: ShopOptions) -> pl.DataFrame:
    """Name all interests: ``interest`` (0, 1, …), ``modality`` (image, text or both), ``description``."""
    styles = [("image", style.name) for style in STYLES[: options.n_styles]]
    themes = [("text", theme.name) for theme in THEMES[: options.n_themes]]
    kinds = [("both", kind.plural) for kind in KINDS[: options.n_kinds]]
    modalities, descriptions = zip(*styles, *themes, *kinds, strict=True)
    return pl.DataFrame(
        {"interest": range(options.n_interests), "modality": modalities, "description": descriptions}
    )


def draw_tastes(options: ShopOptions, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return (n_users, n_interests): each user's few interests with shares that sum to one, 0 elsewhere."""
    tastes = np.zeros((options.n_users, options.n_interests), np.float32)
    for user in range(options.n_users):
        n = int(rng.integers(options.min_interests, options.max_interests + 1))
        chosen = rng.choice(options.n_interests, n, replace=False)
        tastes[user, chosen] = rng.dirichlet(np.full(n, 4.0))
    return tastes


def draw_interactions(
    options: ShopOptions, carries: NDArray[np.bool_], tastes: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return user, item and cause (an interest or NOISE) of every interaction; no pair stands twice."""
    n_items = len(carries)
    weight = (1.0 + rng.permutation(n_items)) ** -options.popularity
    counts = FEWEST + rng.poisson(rng.gamma(2.0, (options.mean_interactions - FEWEST) / 2, options.n_users))
    counts = np.minimum(counts, n_items // 4)
    pools = [np.flatnonzero(carries[:, interest]) for interest in range(carries.shape[1])]
    pools.append(np.arange(n_items))  # pools[NOISE]
    sums = [np.cumsum(weight[pool]) for pool in pools]
    users, items, causes = [], [], []
    for user, count in enumerate(counts.tolist()):
        chosen = np.flatnonzero(tastes[user])
        share = tastes[user, chosen].cumsum()
        had: set[int] = set()
        while len(had) < count:
            noisy, which, where = rng.random(3)
            cause = (
                NOISE
                if noisy < options.noise
                else int(chosen[min(share.searchsorted(which), len(chosen) - 1)])
            )
            item = int(pools[cause][sums[cause].searchsorted(where * sums[cause][-1], side="right")])
            if item not in had:
                had.add(item)
                users.append(user)
                items.append(item)
                causes.append(cause)
    return np.array(users), np.array(items), np.array(causes)


def draw_times(users: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one time per interaction, in seconds since 1970, rising within each user."""
    times = FIRST_DAY + rng.integers(0, DAYS * 86_400, len(users))
    order = np.lexsort((times, users))
    rising = np.empty_like(times)
    rising[np.argsort(users, kind="stable")] = times[order]
    return rising
