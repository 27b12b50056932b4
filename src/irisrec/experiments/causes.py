"""Does a model name the true reason? On the built-in shop every interaction has a known cause."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from irisrec.data.dataset import Dataset
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.shop import Shop, shop_from
from irisrec.data.splits import Split
from irisrec.errors import count_of
from irisrec.ids import IdMap
from irisrec.models.item_similarity import ItemSimilarity


@dataclass(frozen=True)
class PlantedReasons:
    """How often the top reason of a hit is a history item that carries the interest behind the purchase.

    Attributes:
        rate: share of the judged hits whose highest contribution comes from such an item.
        chance: the same for a history item drawn at random: the mean share of such items in the histories.
        n_judged: hits with a planted cause whose history has at least one item that carries it.
        n_hits: test items that were recommended, whatever their cause.

    Rate and chance are None where no hit could be judged.
    """

    rate: float | None
    chance: float | None
    n_judged: int
    n_hits: int

    def __str__(self) -> str:
        if self.rate is None or self.chance is None:
            return f"none of {count_of(self.n_hits, 'hit')} can be judged by its planted cause"
        return (
            f"the top reason carries the planted interest in {self.rate:.0%} of {count_of(self.n_judged, 'hit')} "
            f"where one can; by chance it would in {self.chance:.0%}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def planted_reasons(
    model: ItemSimilarity, dataset: Dataset, split: Split, hits: NDArray[np.bool_], options: ShopOptions
) -> PlantedReasons:
    """Compare the reasons for hits with the shop's truth.

    Args:
        model: trained on ``split.train``.
        dataset: the shop, loaded.
        split: one test item per user.
        hits: (n_users,) whether the user's test item was recommended.
        options: what the shop was made from.
    """
    shop = shop_from(options)
    causes = _causes(shop, dataset)
    shop_items = IdMap(shop.catalog.frame["item_id"], "item")
    carries = shop.item_interests[
        shop_items.index(dataset.items.series)
    ]  # (N, n_interests) in the order of the data
    right, chance = [], []
    users = np.flatnonzero(hits)
    for user in users:
        history = split.train.indices[split.train.indptr[user] : split.train.indptr[user + 1]].astype(
            np.int64
        )
        target = int(split.test.indices[split.test.indptr[user]])
        cause = causes.get((int(user), target))
        if cause is None or not carries[history, cause].any():
            continue
        reasons = model.reasons(torch.from_numpy(history), torch.tensor([target]))
        top = history[int(reasons.contribution[:, 0].argmax())]
        right.append(bool(carries[top, cause]))
        chance.append(float(carries[history, cause].mean()))
    if not right:
        return PlantedReasons(None, None, 0, len(users))
    return PlantedReasons(float(np.mean(right)), float(np.mean(chance)), len(right), len(users))


def _causes(shop: Shop, dataset: Dataset) -> dict[tuple[int, int], int]:
    """Map (user row, item row) to the interest behind the interaction; noise is left out."""
    frame = shop.causes.drop_nulls("interest")
    users, items = dataset.users.lookup(frame["user_id"]), dataset.items.lookup(frame["item_id"])
    return dict(
        zip(zip(users.tolist(), items.tolist(), strict=True), frame["interest"].to_list(), strict=True)
    )
