"""What reasons are split among, as the page names and colours it."""

from __future__ import annotations

from dataclasses import dataclass

from irisrec.recommendation.words import Wording
from irisrec.serving.page.bars import IDS
from irisrec.serving.served import Served


@dataclass(frozen=True)
class Kind:
    """A modality, or the ids alone.

    Attributes:
        name: as in the model.
        label: for people.
        colour: number of its colour; 0 is the ids'.
        is_on: whether it is switched on.
    """

    name: str
    label: str
    colour: int
    is_on: bool = True


def kinds_of(served: Served, off: tuple[str, ...], wording: Wording) -> tuple[Kind, ...]:
    """Return the modalities that the model reads, in a fixed order, and the ids last."""
    model = served.recommender.model
    names = sorted(model.content_masks)
    kinds = [
        Kind(name, wording.noun(name).capitalize(), 1 + place % 7, name not in off)
        for place, name in enumerate(names)
    ]
    return (*kinds, Kind(IDS, "Ids", 0))
