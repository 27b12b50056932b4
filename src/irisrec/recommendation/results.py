"""What a recommender answers: items with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from irisrec.ids import Id
from irisrec.recommendation.words import PLAIN, Wording, reason_in_words, reasons_in_words


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A history item that speaks for (or against) a recommendation.

    Attributes:
        item_id, title: of the history item.
        relevance: a_ij, how much it counts for this candidate; 1 in a model that does not tell items apart.
        contribution: c_ij, its share of the score; all of them and the candidate's bias sum to the score.
        modalities: {modality: its Shapley value for the contribution}; what all of them leave is owed to the ids
            alone. See `irisrec.models.modality_shares.shares_of`.
        relevance_modalities: the same for the relevance.
        shared: modalities that both items have.
        alike: those in which they are alike, see `irisrec.recommendation.likeness.Likeness`.
    """

    item_id: Id
    title: str
    relevance: float
    contribution: float
    modalities: dict[str, float] = field(default_factory=dict)
    relevance_modalities: dict[str, float] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()

    def in_words(self, wording: Wording = PLAIN) -> str:
        """Say the reason as people do; see `irisrec.recommendation.words` for what may be said."""
        return reason_in_words(self, wording)


@dataclass(frozen=True)
class Recommendation:
    """A recommended item.

    Attributes:
        item_id, title: of the item.
        score: the raw logit.
        probability: its sigmoid, where the model was fitted for that; else None.
        because: the history items that contributed most, highest contribution first.
    """

    item_id: Id
    title: str
    score: float
    probability: float | None
    because: tuple[Reason, ...] = ()

    def in_words(self, wording: Wording = PLAIN) -> str:
        """Say all reasons that speak for the item in one sentence; empty where none does."""
        return reasons_in_words(self.because, wording)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        reasons = [{**vars(reason)} for reason in self.because]
        return {**vars(self), "because": reasons}
