"""Reasons as people say them: made from the numbers, and claiming no more than they do.

A modality is named only where both items have it, its Shapley value is at least `NAMED_FROM` of the contribution, and
no less than what the ids alone give. It is called similar only where the two items are alike in it by their vectors;
where they are not, the model has learned that they go together, and the words say no more than that it is by this
modality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from irisrec.errors import listed

if TYPE_CHECKING:
    from irisrec.recommendation.results import Reason

NAMED_FROM = 0.4


@dataclass(frozen=True)
class Wording:
    """The words that the data ask for.

    Attributes:
        verb: what people do with the items, in the past: had, watched, bought.
        nouns: {modality: what people call it}; its own name where none is given.
    """

    verb: str = "had"
    nouns: Mapping[str, str] = field(default_factory=lambda: {"image": "picture"})

    def noun(self, modality: str) -> str:
        """Return what people call a modality."""
        return self.nouns.get(modality, modality)


PLAIN = Wording()


def named_modalities(contribution: float, modalities: Mapping[str, float]) -> list[str]:
    """Return the modalities that carry enough of a contribution to be named, the largest first.

    >>> named_modalities(1.0, {"image": 0.7, "text": 0.1})  # 0.2 from the ids
    ['image']
    >>> named_modalities(1.0, {"image": 0.45, "text": 0.05})  # 0.5 from the ids
    []
    """
    if contribution <= 0:
        return []
    ids = contribution - sum(modalities.values())
    least = max(NAMED_FROM * contribution, ids)
    return sorted((m for m, share in modalities.items() if share >= least), key=lambda m: -modalities[m])


def reason_in_words(reason: Reason, wording: Wording = PLAIN) -> str:
    """Say one reason: ``because you had Alma teapot: similar picture``."""
    if reason.contribution == 0:
        return f"you {wording.verb} {reason.title}, which makes no difference"
    if reason.contribution < 0:
        return f"although you {wording.verb} {reason.title}"
    detail = _detail(reason, wording)
    return f"because you {wording.verb} {reason.title}" + (f": {detail}" if detail else "")


def reasons_in_words(reasons: Sequence[Reason], wording: Wording = PLAIN) -> str:
    """Say all reasons that speak for an item in one sentence, empty where none does."""
    speaking = [reason for reason in reasons if reason.contribution > 0]
    named = [(reason.title, _detail(reason, wording)) for reason in speaking]
    items = [title + (f" ({detail})" if detail else "") for title, detail in named]
    return f"because you {wording.verb} {listed(items)}" if items else ""


def _detail(reason: Reason, wording: Wording) -> str:
    named = [m for m in named_modalities(reason.contribution, reason.modalities) if m in reason.shared]
    similar = [wording.noun(m) for m in named if m in reason.alike]
    others = [wording.noun(m) for m in named if m not in reason.alike]
    return ", ".join(
        ([f"similar {listed(similar)}"] if similar else []) + ([f"by {listed(others)}"] if others else [])
    )
