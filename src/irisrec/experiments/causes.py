"""Does a model name the true reason? On the built-in shop every interaction has a known cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from irisrec.data.dataset import Dataset
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.shop import Shop, shop_from
from irisrec.data.splits import Split
from irisrec.errors import count_of
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer

ALONE = np.array(["image", "text"])  # modalities in which an interest can lie by itself


@dataclass(frozen=True)
class Rate:
    """How often something is right; all but ``n`` None where nothing was judged.

    Attributes:
        rate: share of what was judged.
        chance: how often chance would be right.
        n: how much was judged.
        expert: how often one would be right who knows all traits of both items but compares one history item with
            the bought one at a time, as every score does that sums over pairs. The traits that two items share
            count by how rare they are; ties are broken by lot.
    """

    rate: float | None
    chance: float | None
    n: int
    expert: float | None = None

    @classmethod
    def of(cls, right: Iterable[bool], chance: Iterable[float], expert: Iterable[float] = ()) -> Rate:
        """Average what was judged."""
        rights, chances, experts = [*right], [*chance], [*expert]
        if not rights:
            return cls(None, None, 0)
        best = float(np.mean(experts)) if experts else None
        return cls(float(np.mean(rights)), float(np.mean(chances)), len(rights), best)

    @classmethod
    def of_choices(cls, chosen: list[str], true: list[str], expert: Iterable[float]) -> Rate:
        """Compare choices with the truth; chance is the same choices dealt out to others."""
        names = {*chosen, *true}
        shares = [(chosen.count(name) * true.count(name)) for name in names]
        chance = sum(shares) / max(len(true), 1) ** 2
        return cls.of([a == b for a, b in zip(chosen, true, strict=True)], [chance] * len(true), expert)

    def told(self, where: str) -> str:
        """Say it of hits where it can be judged."""
        if self.rate is None or self.chance is None:
            return f"no hit {where}"
        told = f"{self.rate:.0%} of {count_of(self.n, 'hit')} {where}, by chance in {self.chance:.0%}"
        return told if self.expert is None else f"{told}, by all traits of the pair in {self.expert:.0%}"


@dataclass(frozen=True)
class PlantedReasons:
    """How often the reasons for a hit are the planted ones, among hits that have a cause (noise has none).

    Attributes:
        top: the highest contribution comes from an item that carries the interest behind the purchase; among the
            hits whose history has such an item. By chance: a history item drawn at random.
        top_by_cause: the same for each modality of causes, image, text or both.
        taste: among the same hits, the item carries an interest that the user really has and that the bought item
            carries too, be it behind this purchase or not.
        modality: the modality with the largest share of that contribution is the cause's; among the hits where the
            top reason is right and the cause lies in one modality. By chance: the same answers dealt out to others.
        told_modality: the same where it can be told from the pair: history item and bought item do not share an
            interest of another modality as well.
        n_hits: test items that were recommended, whatever their cause.
    """

    top: Rate
    top_by_cause: dict[str, Rate]
    taste: Rate
    modality: Rate
    told_modality: Rate
    n_hits: int

    def __str__(self) -> str:
        parts = [f"the top reason carries the planted interest in {self.top.told('where one can')}"]
        if self.told_modality.n:
            told = self.told_modality.told("where the pair can tell")
            parts.append(f"its modality is the planted one in {told}")
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Judged:
    """One hit: modality of its cause, whether the top reason is right, whether its modality can be told, and is.

    ``chance`` and ``expert`` are as of `Rate`, ``expert_modality`` is about the modality of the model's top reason.
    """

    cause: str
    is_right: bool
    chance: float
    expert: float
    expert_modality: float
    is_taste: bool
    taste_chance: float
    modality: str | None
    can_tell: bool


def planted_reasons(
    model: Scorer, dataset: Dataset, split: Split, hits: NDArray[np.bool_], options: ShopOptions
) -> PlantedReasons:
    """Compare the reasons for hits with the shop's truth.

    Args:
        model: trained on ``split.train``, with reasons.
        dataset: the shop, loaded.
        split: one test item per user.
        hits: (n_users,) whether the user's test item was recommended.
        options: what the shop was made from.
    """
    judged = [*_judged(model, dataset, split, hits, shop_from(options))]
    causes = {hit.cause for hit in judged}
    told = [hit for hit in judged if hit.is_right and hit.modality is not None and hit.cause != "both"]
    return PlantedReasons(
        top=_top(judged),
        top_by_cause={cause: _top([hit for hit in judged if hit.cause == cause]) for cause in sorted(causes)},
        taste=Rate.of((hit.is_taste for hit in judged), (hit.taste_chance for hit in judged)),
        modality=_modality(told),
        told_modality=_modality([hit for hit in told if hit.can_tell]),
        n_hits=int(hits.sum()),
    )


def _top(judged: list[_Judged]) -> Rate:
    columns = ([getattr(hit, name) for hit in judged] for name in ("is_right", "chance", "expert"))
    return Rate.of(*columns)


def _modality(judged: list[_Judged]) -> Rate:
    chosen, true = [str(hit.modality) for hit in judged], [hit.cause for hit in judged]
    return Rate.of_choices(chosen, true, [hit.expert_modality for hit in judged])


def _judged(
    model: Scorer, dataset: Dataset, split: Split, hits: NDArray[np.bool_], shop: Shop
) -> Iterator[_Judged]:
    """Yield the hits with a planted cause that some item of the history carries."""
    causes, modalities = _causes(shop, dataset), shop.interests["modality"].to_numpy()
    carries = shop.item_interests[_rows_in(shop.catalog.frame["item_id"], dataset.items)]
    everybody = shop.interactions.frame["user_id"].unique(maintain_order=True)
    tastes = shop.user_interests[_rows_in(everybody, dataset.users)]
    rarity = 1.0 / carries.sum(0).clip(1)
    for user in np.flatnonzero(hits):
        history = split.train.indices[slice(*split.train.indptr[user : user + 2])].astype(np.int64)
        target = int(split.test.indices[split.test.indptr[user]])
        cause = causes.get((int(user), target))
        if cause is None or not carries[history, cause].any():
            continue
        rows, column = torch.from_numpy(history), torch.tensor([target])
        top = int(model.reasons(rows, column).contribution[:, 0].argmax())
        liked = carries[target] & (tastes[user] > 0)
        shared = carries[history] & carries[target]  # (L, interests)
        both = shared[top]
        votes = np.array([rarity[both & (modalities == name)].sum() for name in ALONE])
        yield _Judged(
            cause=str(modalities[cause]),
            is_right=bool(carries[history[top], cause]),
            chance=float(carries[history, cause].mean()),
            expert=float(carries[history, cause][_highest(shared @ rarity)].mean()),
            expert_modality=float(
                (_highest(votes) & (modalities[cause] == ALONE)).sum() / _highest(votes).sum()
            ),
            is_taste=bool((both & liked).any()),
            taste_chance=float((carries[history] & liked).any(1).mean()),
            modality=_largest(model, rows, column, top),
            can_tell=not {*modalities[both]} - {modalities[cause], "both"},
        )


def _highest(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the places of the highest value; sums of the same numbers in another order are equal."""
    places: NDArray[np.bool_] = np.isclose(values, values.max())
    return places


def _largest(model: Scorer, history: torch.Tensor, candidate: torch.Tensor, place: int) -> str | None:
    """Return the modality with the largest share of a contribution, None where there is nothing to choose from."""
    if not model.splits_modalities or len(model.content_masks) < 2:
        return None
    shares: Mapping[str, torch.Tensor] = model.modality_shares(history, candidate).contribution.modalities
    return max(shares, key=lambda name: float(shares[name][place, 0]))


def _rows_in(ids: pl.Series, wanted: IdMap) -> NDArray[np.int64]:
    """Return the places among the shop's own ids of those that the data set has."""
    return IdMap(ids, wanted.noun).index(wanted.series)


def _causes(shop: Shop, dataset: Dataset) -> dict[tuple[int, int], int]:
    """Map (user row, item row) to the interest behind the interaction; noise is left out."""
    frame = shop.causes.drop_nulls("interest")
    users, items = dataset.users.lookup(frame["user_id"]), dataset.items.lookup(frame["item_id"])
    return dict(
        zip(zip(users.tolist(), items.tolist(), strict=True), frame["interest"].to_list(), strict=True)
    )
