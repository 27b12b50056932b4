"""A new item, tried out and kept nowhere: whom it would be recommended to, and what is like it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from irisrec.errors import DataError, FeatureError, ModelError
from irisrec.ids import Id, IdMap
from irisrec.models.growing import require_growing
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import LEARNED
from irisrec.serving.added import new_item
from irisrec.serving.errors import NotFoundError
from irisrec.serving.page.item import N_LIKE, Like, Strip, ways_of
from irisrec.serving.page.kinds import Kind, kinds_of
from irisrec.serving.page.ranking import N_SHOWN, ReasonShown, scales_of, shown
from irisrec.serving.page.sentences import sentence
from irisrec.serving.page.state import LENGTHS, State
from irisrec.serving.page.things import Things
from irisrec.serving.page.who import Someone, someone
from irisrec.serving.page.why import MOST, Why, why_of
from irisrec.serving.pictures import check_pixels, scaled
from irisrec.serving.served import Served
from irisrec.serving.service import Service
from irisrec.serving.store.items import AddedItem

LOOKED_AT = 400  # users whose lists are made
K = LENGTHS[0]
_SHOWN = 6  # of those who would get it


@dataclass(frozen=True)
class Draft:
    """What was sent: nothing yet, where all of it is empty."""

    title: str = ""
    text: str = ""
    picture: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to know an item by."""
        return not (self.text.strip() or self.picture)


@dataclass(frozen=True)
class Taker:
    """A user in whose list the item would stand: its place there, and what would carry it."""

    user: str
    place: int
    score: float
    probability: float | None
    reasons: tuple[ReasonShown, ...]


@dataclass(frozen=True)
class Trial:
    """What came out.

    Attributes:
        picture: as a data address; empty where none was sent.
        n_looked_at: users whose first ten places were made.
        n_takers: of them, those with the item among these places.
        takers: the most probable of these.
        strips: what is like it, one for each way.
        why: how it stands for whoever is chosen.
    """

    picture: str
    n_looked_at: int
    n_takers: int
    takers: tuple[Taker, ...]
    strips: tuple[Strip, ...]
    why: Why | None = None


@dataclass(frozen=True)
class Newcomer:
    """The page; ``unable`` says why this model cannot take new items, ``problem`` what is wrong with what was sent."""

    state: State
    kinds: tuple[Kind, ...]
    draft: Draft
    unable: str = ""
    problem: str = ""
    trial: Trial | None = None


async def newcomer(service: Service, served: Served, state: State, draft: Draft | None) -> Newcomer:
    """Build the page; without a draft it only asks for one."""
    view = Newcomer(state, kinds_of(served, (), service.wording), draft or Draft())
    try:
        require_growing(served.recommender.model)
    except ModelError as error:
        return replace(view, unable=sentence(error))
    if draft is None:
        return view
    if draft.is_empty:
        return replace(
            view,
            problem="An item that nobody had is known by its content alone: give a picture, a text, or both.",
        )
    who = None
    try:
        if draft.picture is not None:
            check_pixels(draft.picture, service.settings.limits.pixels)
        if state.is_somebody:
            who = await someone(service, served, state)
        users = await _users(service, served.known.ids)
        trial = await service.compute("try an item", lambda: _try(service, served, draft, who, users))
    except (DataError, FeatureError, ModelError, NotFoundError) as error:
        return replace(view, problem=sentence(error))
    return replace(view, trial=trial)


async def _users(service: Service, ids: IdMap) -> list[Id]:
    """Return users from all over the run, none that asked to be forgotten."""
    n = min(LOOKED_AT, len(ids))
    spread = ids.ids([place * len(ids) // n for place in range(n)])
    pasts = await service.in_store(lambda: service.store.pasts(spread, 1))
    return [id for id, past in zip(spread, pasts, strict=True) if not past.is_forgotten]


def _try(service: Service, served: Served, draft: Draft, who: Someone | None, users: Sequence[Id]) -> Trial:
    recommender, things = served.recommender, Things(served)
    id = _free_id(served.items)
    title = draft.title.strip() or "The new item"
    item = new_item(recommender, AddedItem(id, title, draft.text.strip() or None, draft.picture))
    grown = recommender.add_items([item])
    picture = ""
    if draft.picture is not None:
        picture = "data:image/webp;base64," + base64.b64encode(scaled(draft.picture, 400)).decode("ascii")
    takers = _places(grown, id, users)
    why = None
    if who is not None:
        explanation = grown.explain_to(who.now, id, K, MOST)
        why = why_of(things, explanation, service.wording)
    return Trial(
        picture,
        len(users),
        len(takers),
        _takers(grown, things, id, takers[:_SHOWN]),
        tuple(_strips(grown, things, id, service)),
        why,
    )


def _free_id(items: IdMap) -> Id:
    if items.kind == "integer":
        highest = items.series.max()
        return (highest if isinstance(highest, int) else 0) + 1
    return next(id for n in count(1) if (id := f"new-item-{n}") not in items)


def _places(grown: Recommender, id: Id, users: Sequence[Id]) -> list[tuple[Id, int]]:
    """Return the users with the item in their list and its place there, those who score it highest first."""
    found = []
    lists = grown.recommend_many(users=users, k=K, n_reasons=0, modalities=False)
    for user, items in zip(users, lists, strict=True):
        for place, item in enumerate(items, start=1):
            if item.item_id == id:
                found.append((-item.score, place, user))
    return [(user, place) for _, place, user in sorted(found, key=lambda one: one[:2])]


def _takers(
    grown: Recommender, things: Things, id: Id, takers: Sequence[tuple[Id, int]]
) -> tuple[Taker, ...]:
    lists = grown.recommend_many(users=[user for user, _ in takers], k=K, n_reasons=N_SHOWN)
    items = [next(item for item in items if item.item_id == id) for items in lists]
    scales = scales_of([reason for item in items for reason in item.because])
    return tuple(
        Taker(str(user), place, item.score, item.probability, shown(things, item.because, scales))
        for (user, place), item in zip(takers, items, strict=True)
    )


def _strips(grown: Recommender, things: Things, id: Id, service: Service) -> list[Strip]:
    masks = grown.model.content_masks
    row = int(grown.items.index([id])[0])
    strips = []
    for by, label in ways_of(sorted(masks), service.wording):
        if by == LEARNED or masks[by][row]:
            found = grown.similar_items(id, N_LIKE, by)
            strips.append(
                Strip(by, label, tuple(Like(things.of_id(one.item_id), one.similarity) for one in found))
            )
    return strips
