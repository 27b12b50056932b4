"""Explanation: why an item is recommended, or why not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from irisrec.ids import Id
from irisrec.recommendation.explanation_words import explanation_in_words
from irisrec.recommendation.results import Reason
from irisrec.recommendation.words import PLAIN, Wording


@dataclass(frozen=True, kw_only=True)
class TestedReason(Reason):
    """A reason, and what would be without its item in the history.

    Attributes:
        score_without: the explained item's score then.
        rank_without: its rank then, among the same items: the one that was taken away is not offered again.
    """

    score_without: float
    rank_without: int


@dataclass(frozen=True)
class Lead:
    """What a history item gives the last recommended item (``there``) and the explained one (``here``)."""

    item_id: Id
    title: str
    there: float
    here: float


@dataclass(frozen=True)
class Behind:
    """What the last recommended item has that the explained one lacks.

    Attributes:
        item_id, title, score: of the last recommended item.
        gap: how much more it scores; the sum of all of the following differences.
        bias: difference of the biases.
        ids: what the ids alone give it more, over the whole history; None as of `Explanation`.
        modalities: {modality: what this gives it more}.
        leads: the history items that give it most more, the largest difference first.
    """

    item_id: Id
    title: str
    score: float
    gap: float
    bias: float
    ids: float | None
    modalities: dict[str, float]
    leads: tuple[Lead, ...]


@dataclass(frozen=True)
class Explanation:
    """Why an item is recommended to somebody, or why not.

    Attributes:
        item_id, title: of the explained item.
        score: the raw logit; bias, ids and all modalities sum to it.
        probability: its sigmoid, where the model was fitted for that; else None.
        rank: place of the item among those that are not in the history, and itself.
        n_candidates: how many these are.
        k: how many are recommended.
        in_history: whether the item is in the history, and therefore not recommended.
        has_reasons: whether the model scores by history items, so that the following are known.
        bias: b_j, what the score is without the history.
        ids: what the history gives by the ids alone; None where the model reads too many modalities to split exactly.
        modalities: {modality: what the history gives by it}, the Shapley values of the score.
        because: history items that speak for it, the highest contribution first.
        against: history items that speak against it, the lowest contribution first.
        others: the sum of all other contributions.
        n_others: how many they are.
        n_decisive: how many history items there are of which each alone, taken away, would move the item out of the
            first k, or into them.
        missing: modalities that the model reads and the item does not have.
        behind: comparison with the last recommended item, where the explained one is not recommended.
    """

    item_id: Id
    title: str
    score: float
    probability: float | None
    rank: int
    n_candidates: int
    k: int
    in_history: bool
    has_reasons: bool
    bias: float = 0.0
    ids: float | None = None
    modalities: dict[str, float] = field(default_factory=dict)
    because: tuple[TestedReason, ...] = ()
    against: tuple[TestedReason, ...] = ()
    others: float = 0.0
    n_others: int = 0
    n_decisive: int = 0
    missing: tuple[str, ...] = ()
    behind: Behind | None = None

    @property
    def is_recommended(self) -> bool:
        """Whether the item is among the first k of those that are not in the history."""
        return not self.in_history and self.rank <= self.k

    def in_words(self, wording: Wording = PLAIN) -> list[str]:
        """Say it in sentences, the most important first."""
        return explanation_in_words(self, wording)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, what is said in words included."""
        return asdict(self) | {"is_recommended": self.is_recommended, "words": self.in_words()}
