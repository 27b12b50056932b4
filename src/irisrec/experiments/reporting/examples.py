"""The section of examples: what a few users are recommended, and which of their items speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from irisrec.errors import count_of
from irisrec.experiments.reporting.choice import SHOWN, Choice, Chosen, choose_users
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.thumbnails import LARGEST, Thumbnails
from irisrec.ids import Id, IdMap
from irisrec.look.numbers import signed
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.results import Recommendation

N_REASONS = 3
SMALL = 88  # pixels of the history items' pictures


@dataclass(frozen=True)
class Item:
    """An item as the page shows it; ``picture`` is a data URI or None."""

    id: Id
    title: str
    picture: str | None

    @property
    def initial(self) -> str:
        """The letter that stands where a picture is missing."""
        return next((letter.upper() for letter in self.title if letter.isalnum()), "?")


@dataclass(frozen=True)
class Bar:
    """A history item's numbers, and how long their bars are, in percent of the longest of this user.

    ``modalities`` are their shares of the contribution, in words.
    """

    item: Item
    relevance: float
    contribution: float
    modalities: tuple[str, ...]
    relevance_width: float
    contribution_width: float


@dataclass(frozen=True)
class Shown:
    """One recommendation.

    Attributes:
        item: what is recommended.
        score, probability: as the recommender gives them.
        sentence: the reasons as people say them; empty where none speaks for it.
        held_out: ``test`` or ``validation`` where the user really had it, held out; else None.
        bars: the history items that contributed most.
        others, n_others: the sum of all other contributions, and how many they are.
        bias: what is left of the score without any history.
    """

    item: Item
    score: float
    probability: float | None
    sentence: str
    held_out: str | None
    bars: tuple[Bar, ...]
    others: float
    n_others: int
    bias: float


@dataclass(frozen=True)
class Example:
    """One user: id, outcome, size of the history, the held-out items with the rank of the best, recommendations."""

    user: Id
    outcome: str
    history: str
    held_out: tuple[Item, ...]
    rank: int
    n_candidates: int
    recommendations: tuple[Shown, ...]


@dataclass(frozen=True)
class Examples:
    """The section.

    Attributes:
        users: at most one per outcome.
        choice: the rule, and how frequent each outcome is.
        has_reasons: whether the model can say why.
        n_unreadable: pictures that the catalog names but that could not be shown.
    """

    users: tuple[Example, ...]
    choice: Choice
    has_reasons: bool
    n_unreadable: int


def examples(run: FinishedRun) -> Examples | None:
    """Recommend to a few users from their training items alone; None where nothing was held out."""
    choice = choose_users(run)
    if not choice.users:
        return None
    showcase = Showcase(run)
    users = tuple(showcase.example(chosen) for chosen in choice.users)
    return Examples(users, choice, run.model.has_reasons, len(showcase.thumbnails.unreadable))


class Showcase:
    """Shows what a run recommends to chosen users."""

    def __init__(self, run: FinishedRun) -> None:
        self.run = run
        self.thumbnails = Thumbnails(run.config.data.root)
        self.recommender = Recommender(
            run.model, run.catalog, KnownUsers.of_matrix(run.users, run.split.train), prepare=False
        )

    @cached_property
    def items(self) -> IdMap:
        """The items of the run."""
        return self.recommender.items

    def example(self, chosen: Chosen) -> Example:
        """Recommend to one user."""
        split, row = self.run.split, chosen.row
        history = self.items.ids(split.train[row].indices)
        parts = {"test": split.test, "validation": split.validation}
        held_out = {name: self.items.ids(part[row].indices) for name, part in parts.items()}
        user = self.run.users.ids([row])[0]
        found = self.recommender.recommend(user, k=SHOWN, n_reasons=len(history))
        return Example(
            user=user,
            outcome=chosen.outcome,
            history=count_of(len(history), "training item"),
            held_out=tuple(self._item(id, SMALL) for id in held_out["test"]),
            rank=chosen.rank,
            n_candidates=chosen.n_candidates,
            recommendations=self._shown(found, held_out),
        )

    def _shown(self, found: Sequence[Recommendation], held_out: dict[str, list[Id]]) -> tuple[Shown, ...]:
        reasons = [reason for recommendation in found for reason in recommendation.because[:N_REASONS]]
        longest = (
            max((abs(reason.relevance) for reason in reasons), default=0.0) or 1.0,
            max((abs(reason.contribution) for reason in reasons), default=0.0) or 1.0,
        )
        return tuple(self._one(recommendation, held_out, longest) for recommendation in found)

    def _one(
        self, recommendation: Recommendation, held_out: dict[str, list[Id]], longest: tuple[float, float]
    ) -> Shown:
        because, id = recommendation.because, recommendation.item_id
        sentence = replace(recommendation, because=because[:N_REASONS]).in_words()
        bars = tuple(
            Bar(
                self._item(reason.item_id, SMALL),
                reason.relevance,
                reason.contribution,
                tuple(f"{name} {signed(share)}" for name, share in reason.modalities.items()),
                100 * abs(reason.relevance) / longest[0],
                100 * abs(reason.contribution) / longest[1],
            )
            for reason in because[:N_REASONS]
        )
        return Shown(
            item=self._item(id),
            score=recommendation.score,
            probability=recommendation.probability,
            sentence=sentence[:1].upper() + sentence[1:],
            held_out=next((part for part, ids in held_out.items() if id in ids), None),
            bars=bars,
            others=sum(reason.contribution for reason in because[N_REASONS:]),
            n_others=len(because[N_REASONS:]),
            bias=recommendation.score - sum(reason.contribution for reason in because),
        )

    def _item(self, id: Id, size: int = LARGEST) -> Item:
        row = int(self.items.index([id])[0])
        _, title, _, picture = self.run.catalog.frame.select("item_id", "title", "text", "picture").row(row)
        return Item(id, title, self.thumbnails.of(picture, size))
