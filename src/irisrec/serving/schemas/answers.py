"""What answers say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(extra="forbid")


class Error(Answer):
    """Why there is no answer: one sentence for a person, and the id of the request for the one who reads the log."""

    error: str
    message: str
    request_id: str


class Reason(Answer):
    """A history item that speaks for a recommendation; its contributions and the item's bias sum to the score."""

    item_id: str | int
    title: str
    relevance: float
    contribution: float
    modalities: dict[str, float] = Field(
        description="Shapley values of the contribution; the rest is the ids'."
    )
    relevance_modalities: dict[str, float]
    shared: list[str] = Field(description="Modalities that both items have.")
    alike: list[str] = Field(description="Those in which they are alike.")


class Recommendation(Answer):
    """A recommended item."""

    item_id: str | int
    title: str
    score: float
    probability: float | None
    because: list[Reason]
    words: str = Field(description="All reasons that speak for it in one sentence; empty where none does.")


class Recommendations(Answer):
    """One list, best first."""

    items: list[Recommendation]
    n_history: int = Field(description="Items of the history that were counted.")
    n_left_out: int = Field(
        description="Stored events that were not: older than the newest ones, or of items that this run lacks."
    )


class Batch(Answer):
    """One list for each of the people, in their order."""

    lists: list[Recommendations]


class SimilarItem(Answer):
    """An item that is like another."""

    item_id: str | int
    title: str
    similarity: float


class Similar(Answer):
    """Items that are like another, the most similar first."""

    item_id: str | int
    by: str
    items: list[SimilarItem]


class TestedReason(Reason):
    """A reason, and what would be without its item in the history."""

    __test__ = False  # no test, whatever pytest thinks of the name

    score_without: float
    rank_without: int


class Lead(Answer):
    """What a history item gives the last recommended item (there) and the explained one (here)."""

    item_id: str | int
    title: str
    there: float
    here: float


class Behind(Answer):
    """What the last recommended item has that the explained one lacks."""

    item_id: str | int
    title: str
    score: float
    gap: float
    bias: float
    ids: float | None
    modalities: dict[str, float]
    leads: list[Lead]


class Explanation(Answer):
    """Why an item is recommended, or why not; see `irisrec.recommendation.explanation.Explanation`."""

    item_id: str | int
    title: str
    score: float
    probability: float | None
    rank: int
    n_candidates: int
    k: int
    in_history: bool
    has_reasons: bool
    bias: float
    ids: float | None
    modalities: dict[str, float]
    because: list[TestedReason]
    against: list[TestedReason]
    others: float
    n_others: int
    n_decisive: int
    missing: list[str]
    behind: Behind | None
    is_recommended: bool
    words: list[str]


class Added(Answer):
    """What became of an item: it is kept, and recommended from now on."""

    item_id: str | int
    title: str
    is_new: bool = Field(description="False where the same item was sent before.")


class HistoryEntry(Answer):
    """An item that a user had."""

    item_id: str | int
    title: str | None = Field(description="Null for an item that this run lacks.")
    source: Literal["training", "event"]
    event_id: str | None
    time: float | None


class History(Answer):
    """What a user had: events sent since the training, newest first, then what the training knew."""

    user_id: str | int
    entries: list[HistoryEntry]
    n_events: int
    n_training: int


class Kept(Answer):
    """What became of events: they are on the disk."""

    event_ids: list[str]
    n_new: int
    n_known: int = Field(description="Sent before, and kept once.")


class Forgotten(Answer):
    """What became of a user: unknown from now on."""

    user_id: str | int
    n_events: int = Field(description="Events that were deleted.")
    was_in_training: bool = Field(
        description="Whether the run has a history of the user, which is masked now."
    )


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Ready(Answer):
    """The model is loaded and the store answers."""

    status: Literal["ready"]
    generation: int


class Version(Answer):
    """What is served, by which code."""

    irisrec: str
    run: str
    fingerprint: str
    model: str
    generation: int
    loaded: str
    n_items: int
    n_added: int = Field(description="Items that were added since the training.")
    n_users: int
    modalities: list[str]
