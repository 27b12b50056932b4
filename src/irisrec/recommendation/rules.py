"""Rules: what a list of recommendations must and should be like, whatever the model says."""

from __future__ import annotations

from pydantic import Field, field_validator

from irisrec.ids import Id
from irisrec.settings import Settings

LEARNED = "learned"  # the similarity of items by what the model has learned of them


class Rules(Settings):
    """What a list must and should be like; an item's score, probability and reasons are the same under any rules.

    What it must be like holds exactly: a list is shorter than asked for only where fewer items are allowed. Limits are
    met walking down the ranking: an item is passed over when one of its values has no room left.

    Attributes:
        allow: ids of the only items that may be recommended; all where not given.
        deny: ids of items that may not.
        where: conditions on catalog columns, all of which must hold; see `irisrec.recommendation.where.Condition`.
        at_most: for a catalog column, how many items of the list may share one of its values; items without a value
            are not counted.
        exclude_seen: whether the items of the history are left out.
        min_probability: the least probability of an interaction; for models that give one.
        popularity_damping: λ of ``score - λ log(1 + n)`` that items are ranked by, where n of the known users had the
            item: post-hoc logit adjustment, Menon et al., Long-Tail Learning via Logit Adjustment (2021), equation 9.
        diversity: δ of maximal marginal relevance, Carbonell and Goldstein (1998): each place goes to the item with
            the highest ``(1 - δ) r - δ max s``, where r is what it is ranked by, scaled to 1 for the best and 0 for
            the last of the items that are chosen from, and s its cosine to an item already in the list.
        diversity_by: ``learned`` for the cosine of what the model has learned of the items, or the name of a modality
            that it reads; an item without the modality is like no other.
        diversity_pool: how many of the best items are chosen from; further ones follow by rank where these do not
            fill the list.
    """

    allow: tuple[Id, ...] | None = None
    deny: tuple[Id, ...] = ()
    where: tuple[str, ...] = ()
    at_most: dict[str, int] = Field(default_factory=dict)
    exclude_seen: bool = True
    min_probability: float | None = Field(default=None, ge=0, le=1)
    popularity_damping: float = Field(default=0.0, ge=0)
    diversity: float = Field(default=0.0, ge=0, le=1)
    diversity_by: str = LEARNED
    diversity_pool: int = Field(default=100, ge=1)

    @field_validator("at_most")
    @classmethod
    def _at_least_one(cls, limits: dict[str, int]) -> dict[str, int]:
        for column, limit in limits.items():
            if limit < 1:
                raise ValueError(f"at least 1 item per value of {column!r} must be allowed, got {limit}")
        return limits
