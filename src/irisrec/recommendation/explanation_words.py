"""An explanation in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irisrec.errors import count_of, listed
from irisrec.recommendation.words import Wording, reason_in_words

if TYPE_CHECKING:
    from irisrec.recommendation.explanation import Behind, Explanation, TestedReason


def explanation_in_words(explanation: Explanation, wording: Wording) -> list[str]:
    """Say where the item stands, what speaks for and against it, what is decisive, and what it lacks."""
    sentences = [_place(explanation)]
    if explanation.missing:
        nouns = listed([wording.noun(m) for m in explanation.missing])
        sentences.append(f"It has no {nouns}, which the model reads.")
    if not explanation.has_reasons:
        return [*sentences, "The model does not score by history items, so it has no reasons to give."]
    for reason in explanation.because:
        sentences.append(_told(reason, wording))
    if not explanation.because:
        sentences.append("No item of the history speaks for it.")
    for reason in explanation.against:
        sentences.append(_told(reason, wording))
    sentences += _decisive(explanation)
    if explanation.behind is not None:
        sentences += _behind(explanation.behind, wording)
    return sentences


def _place(explanation: Explanation) -> str:
    at = f"rank {explanation.rank:,} of {explanation.n_candidates:,}"
    if explanation.in_history:
        return f"{explanation.title} is in the history and is not recommended again; it would stand at {at}."
    if explanation.is_recommended:
        return f"{explanation.title} is recommended, at {at}."
    return f"{explanation.title} is not recommended: it stands at {at}, and the first {explanation.k:,} are asked for."


def _told(reason: TestedReason, wording: Wording) -> str:
    sentence = reason_in_words(reason, wording)
    return f"{sentence[:1].upper()}{sentence[1:]} ({_signed(reason.contribution)})."


def _decisive(explanation: Explanation) -> list[str]:
    """Say what would be without one history item; nothing of an item that is never recommended."""
    if explanation.in_history:
        return []
    named = [*explanation.because, *explanation.against]
    k, is_in = explanation.k, explanation.is_recommended
    turning = [reason for reason in named if (reason.rank_without <= k) != is_in]
    would = "not have seen it" if is_in else "have seen it"
    sentences = [
        f"Without {reason.title} in the history you would {would}: at rank {reason.rank_without:,}."
        for reason in turning
    ]
    if n_more := explanation.n_decisive - len(turning):
        sentences.append(f"The same holds for {count_of(n_more, 'other item')} of the history.")
    if not explanation.n_decisive and is_in and named:
        sentences.append(
            "No single item of the history is decisive: without any one it would still be recommended."
        )
    return sentences


def _behind(behind: Behind, wording: Wording) -> list[str]:
    parts = [f"{_signed(behind.bias)} by its bias"]
    if behind.ids is not None and (behind.ids or behind.modalities):
        parts.append(f"{_signed(behind.ids)} by ids")
    parts += [f"{_signed(more)} by {wording.noun(m)}" for m, more in behind.modalities.items()]
    sentences = [f"The last recommended item, {behind.title}, scores {behind.gap:.3f} more: {listed(parts)}."]
    if behind.leads:
        leads = [
            f"{lead.title} ({_signed(lead.there)} against {_signed(lead.here)})" for lead in behind.leads
        ]
        sentences.append(f"It gets more from {listed(leads)}.")
    return sentences


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
