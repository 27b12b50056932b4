"""What requests may say; a field that is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from irisrec.recommendation.history import History
from irisrec.recommendation.rules import LEARNED, Rules

VISIBLE = r"^[^\x00-\x1f\x7f]+$"  # no control characters: a database may not keep them
_TextId = Annotated[StrictStr, Field(min_length=1, max_length=256, pattern=VISIBLE)]
_NumberId = Annotated[StrictInt, Field(ge=-(2**63), le=2**63 - 1)]
AnyId = _TextId | _NumberId
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=VISIBLE)]
Moment = Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=40)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Asked(BaseModel):
    """The base of all requests."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HistoryItem(Asked):
    """An item of a history, with how much it counts and when it was had."""

    item_id: AnyId
    weight: Positive | None = None
    time: Moment | None = None


class RulesAsked(Asked):
    """What the list must and should be like; see `irisrec.recommendation.rules.Rules`."""

    allow: list[AnyId] | None = Field(default=None, max_length=10_000)
    deny: list[AnyId] = Field(default=[], max_length=10_000)
    where: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=20)
    at_most: dict[str, Annotated[int, Field(ge=1)]] = Field(default={}, max_length=20)
    exclude_seen: bool = True
    min_probability: float | None = Field(default=None, ge=0, le=1)
    popularity_damping: float = Field(default=0.0, ge=0, le=1e6)
    diversity: float = Field(default=0.0, ge=0, le=1)
    diversity_by: Name = LEARNED
    diversity_pool: int = Field(default=100, ge=1, le=1000)

    def rules(self) -> Rules:
        """Return them as the library's."""
        return Rules.read(self.model_dump(), "rules")


class Whom(Asked):
    """A user, or anybody with a history."""

    user_id: AnyId | None = Field(default=None, description="Of the training data, or of events sent since.")
    history: list[AnyId | HistoryItem] | None = Field(
        default=None, description="Item ids, or items with weight and time, instead of a user."
    )
    half_life: Positive | None = Field(
        default=None,
        description="Age at which an item counts half, in days or in the unit of times that are numbers.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.user_id is None) == (self.history is None):
            raise ValueError(
                f"give either user_id or history, got {'neither' if self.user_id is None else 'both'}"
            )
        return self

    def given(self) -> History | list[str | int]:
        """Return the history as the library's; plain ids may repeat."""
        entries = self.history or []
        if not any(isinstance(entry, HistoryItem) for entry in entries):
            return list(entries)  # type: ignore[arg-type]
        items = [entry if isinstance(entry, HistoryItem) else HistoryItem(item_id=entry) for entry in entries]
        weights = [item.weight for item in items]
        times = [item.time for item in items]
        return History(
            [item.item_id for item in items],
            None if set(weights) == {None} else [1.0 if weight is None else weight for weight in weights],
            None if set(times) == {None} else times,
        )


_K: Any = Field(default=10, ge=1, le=1000, description="How many items.")
_REASONS: Any = Field(
    default=3, ge=0, le=100, description="How many history items to name for each; 0 for none."
)


class RecommendAsked(Whom):
    """A list of recommendations that somebody wants."""

    k: int = _K
    reasons: int = _REASONS
    rules: RulesAsked = Field(default_factory=RulesAsked)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "u0017", "k": 3},
                {"history": ["p0003", "p0040", "p0007"], "k": 5, "reasons": 2},
                {"history": [{"item_id": "p0003", "weight": 2.0}, "p0040"], "rules": {"diversity": 0.3}},
            ]
        }
    )


class BatchAsked(Asked):
    """Lists for several people, all of the same kind."""

    people: list[Whom] = Field(min_length=1, max_length=1000)
    k: int = _K
    reasons: int = _REASONS
    rules: RulesAsked = Field(default_factory=RulesAsked)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"people": [{"user_id": "u0017"}, {"history": ["p0003"]}], "k": 3}]}
    )


class ExplainAsked(Whom):
    """An item that somebody wants to be explained, recommended or not."""

    item_id: AnyId
    k: int = Field(default=10, ge=1, le=1000, description="How many items are recommended.")
    reasons: int = Field(
        3, ge=0, le=100, description="How many history items to name for it, and against it."
    )

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "u0017", "item_id": "p0040"}]})


class EventAsked(Asked):
    """A user had an item."""

    event_id: Name | None = Field(
        default=None,
        description="Names the event, so that it may be sent again; one is made where it is not given.",
    )
    user_id: AnyId
    item_id: AnyId
    time: Moment | None = Field(
        default=None, description="As in the training data: a number, or an ISO 8601 date."
    )


class InteractionsAsked(Asked):
    """Events to keep, all or none."""

    events: list[EventAsked] = Field(min_length=1, max_length=5000)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"events": [{"event_id": "order-1042-1", "user_id": "u0017", "item_id": "p0040"}]}]
        }
    )


class ReloadAsked(Asked):
    """Which run to load: a folder beside the one that is served; without a name that folder again."""

    run: str | None = Field(default=None, min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$")

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"run": "2024-06-01"}]})
