"""Why one item stands where it stands: every number of its score, and what would be without each history item."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from irisrec.recommendation.explanation import Explanation, TestedReason
from irisrec.recommendation.words import Wording
from irisrec.serving.page.bars import IDS, Bar, Scale
from irisrec.serving.page.ranking import ReasonShown, scales_of, shown
from irisrec.serving.page.things import Things

MOST = 40  # history items that are named each way
_SPOKEN = 3  # of them in sentences


@dataclass(frozen=True)
class Line:
    """A history item: its numbers, and the item's rank without it.

    ``turns`` says whether that moves the item out of the list, or into it.
    """

    reason: ReasonShown
    rank_without: int
    turns: bool


@dataclass(frozen=True)
class Why:
    """What a score is made of.

    Attributes:
        has_reasons: whether the model can say.
        score, probability, rank, n_candidates: as of `Explanation`.
        is_recommended: whether it is among the first.
        bias: what the score is without the history.
        parts: what the history gives by each modality and by ids; empty where that is not split.
        total: drawn from them.
        lines: history items, those that speak for it first.
        others, n_others: the sum of what further ones give, and how many they are.
        sentences: the most important of it in words.
    """

    has_reasons: bool
    score: float
    probability: float | None
    rank: int
    n_candidates: int
    is_recommended: bool
    bias: float
    parts: dict[str, float]
    total: Bar
    lines: tuple[Line, ...]
    others: float
    n_others: int
    sentences: tuple[str, ...]

    @property
    def history(self) -> float:
        """What the history gives altogether."""
        return self.score - self.bias


def why_of(things: Things, explanation: Explanation, wording: Wording, off: Collection[str] = ()) -> Why:
    """Show an explanation; that an item lacks what is switched ``off`` goes without saying."""
    missing = tuple(name for name in explanation.missing if name not in off)
    explanation = replace(explanation, missing=missing)
    reasons = [*explanation.because, *reversed(explanation.against)]
    drawn = shown(things, reasons, scales_of(reasons))
    parts = {}
    if explanation.ids is not None:
        parts = {**explanation.modalities, IDS: explanation.ids}
    return Why(
        explanation.has_reasons,
        explanation.score,
        explanation.probability,
        explanation.rank,
        explanation.n_candidates,
        explanation.is_recommended,
        explanation.bias,
        parts,
        Scale.of([parts]).bar(parts),
        tuple(_line(explanation, reason, one) for reason, one in zip(reasons, drawn, strict=True)),
        explanation.others,
        explanation.n_others,
        tuple(_spoken(explanation).in_words(wording)),
    )


def _line(explanation: Explanation, reason: TestedReason, drawn: ReasonShown) -> Line:
    is_in = explanation.is_recommended
    turns = not explanation.in_history and (reason.rank_without <= explanation.k) != is_in
    return Line(drawn, reason.rank_without, turns)


def _spoken(explanation: Explanation) -> Explanation:
    """Keep what is worth a sentence; the table has the rest."""
    behind = explanation.behind
    return replace(
        explanation,
        because=explanation.because[:_SPOKEN],
        against=explanation.against[:_SPOKEN],
        behind=None if behind is None else replace(behind, leads=behind.leads[:_SPOKEN]),
    )
