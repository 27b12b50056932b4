"""The list of recommendations, with the items of the history that carried each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irisrec.recommendation.results import Reason, Recommendation
from irisrec.recommendation.words import Wording
from irisrec.serving.page.bars import Bar, Scale, parts_of
from irisrec.serving.page.moves import Move, moved
from irisrec.serving.page.things import Thing, Things

N_SHOWN = 3  # reasons in a row of the list


@dataclass(frozen=True)
class ReasonShown:
    """A history item with its numbers: ``parts`` sum to the contribution, ``relevance_parts`` to the relevance."""

    thing: Thing
    relevance: float
    contribution: float
    parts: dict[str, float]
    relevance_parts: dict[str, float]
    bar: Bar
    relevance_bar: Bar


@dataclass(frozen=True)
class Row:
    """A recommended item.

    Attributes:
        place: from 1.
        thing: the item.
        score, probability: as the recommender gives them.
        sentence: the reasons in words; empty where none speaks for it.
        reasons: the first ones.
        move: how it stands to the list that this one is compared with; None without one.
    """

    place: int
    thing: Thing
    score: float
    probability: float | None
    sentence: str
    reasons: tuple[ReasonShown, ...]
    move: Move | None = None


def shown(things: Things, reasons: Sequence[Reason], scales: tuple[Scale, Scale]) -> tuple[ReasonShown, ...]:
    """Draw reasons on the scales of their contributions and of their relevances."""
    return tuple(
        ReasonShown(
            things.of_id(reason.item_id),
            reason.relevance,
            reason.contribution,
            parts := parts_of(reason.contribution, reason.modalities),
            relevance := parts_of(reason.relevance, reason.relevance_modalities),
            scales[0].bar(parts),
            scales[1].bar(relevance),
        )
        for reason in reasons
    )


def scales_of(reasons: Sequence[Reason]) -> tuple[Scale, Scale]:
    """Return the scales that have room for all contributions and for all relevances."""
    return (
        Scale.of([parts_of(reason.contribution, reason.modalities) for reason in reasons]),
        Scale.of([parts_of(reason.relevance, reason.relevance_modalities) for reason in reasons]),
    )


def rows_of(
    things: Things, found: Sequence[Recommendation], wording: Wording, before: dict[str, int] | None
) -> tuple[Row, ...]:
    """Show a list; ``before`` has the places of the one it is compared with."""
    scales = scales_of([reason for item in found for reason in item.because[:N_SHOWN]])
    rows = []
    for place, item in enumerate(found, start=1):
        sentence = item.in_words(wording)
        rows.append(
            Row(
                place,
                things.of_id(item.item_id),
                item.score,
                item.probability,
                sentence[:1].upper() + sentence[1:],
                shown(things, item.because[:N_SHOWN], scales),
                None if before is None else moved(place, before.get(str(item.item_id))),
            )
        )
    return tuple(rows)
