"""The page of one item: what it is, what is like it in which way, and how it stands for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from irisrec.data.catalog import RESERVED
from irisrec.errors import DataError, ModelError
from irisrec.recommendation.rules import LEARNED
from irisrec.recommendation.words import Wording
from irisrec.serving.errors import NotFoundError
from irisrec.serving.page.kinds import Kind, kinds_of
from irisrec.serving.page.sentences import sentence
from irisrec.serving.page.state import State
from irisrec.serving.page.things import Thing, Things
from irisrec.serving.page.who import someone
from irisrec.serving.page.why import MOST, Why, why_of
from irisrec.serving.served import Served
from irisrec.serving.service import Service

N_LIKE = 8
_LONGEST = 200  # letters of a fact


@dataclass(frozen=True)
class Like:
    """An item that is like another, and how much."""

    thing: Thing
    similarity: float


@dataclass(frozen=True)
class Strip:
    """Items that are like another in one way; ``problem`` says why there are none."""

    by: str
    label: str
    items: tuple[Like, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ItemView:
    """The page.

    Attributes:
        thing: the item.
        text: what the catalog says of it.
        facts: its other columns that have a value.
        n_users: how many users of the run had it.
        strips: what is like it, one for each way.
        why: how it stands for somebody; None where nobody is chosen.
        is_had: whether it is in their history.
        problem: why that cannot be said.
    """

    state: State
    kinds: tuple[Kind, ...]
    thing: Thing
    text: str
    facts: tuple[tuple[str, str], ...]
    n_users: int
    strips: tuple[Strip, ...]
    has_reasons: bool
    takes_histories: bool
    why: Why | None = None
    is_had: bool = False
    problem: str = ""


async def item_view(service: Service, served: Served, state: State, id_text: str) -> ItemView:
    """Build the page.

    Raises:
        NotFoundError: an item that is not in the catalog.
    """
    id = served.items.parse(id_text)
    if id not in served.items:
        raise NotFoundError(f"there is no item {id!r} among the {len(served.items):,} of the catalog")
    things = Things(served)
    thing = things.of_id(id)
    frame = served.recommender.catalog.frame
    model = served.recommender.model
    facts = tuple(
        (column, str(frame[column][thing.row])[:_LONGEST])
        for column in frame.columns
        if column not in RESERVED and frame[column][thing.row] not in (None, "")
    )
    kinds = kinds_of(served, state.off, service.wording)
    view = ItemView(
        state=state,
        kinds=kinds,
        thing=thing,
        text=frame["text"][thing.row] or "",
        facts=facts,
        n_users=int(served.known.counts[thing.row]),
        strips=tuple(
            [
                await _strip(service, served, things, thing, *way)
                for way in ways_of(sorted(model.content_masks), service.wording)
            ]
        ),
        has_reasons=model.has_reasons,
        takes_histories=not model.knows_users_only,
    )
    if not state.is_somebody:
        return view
    try:
        who = await someone(service, served, state)
        variant = await service.compute("variant", lambda: served.without(state.off))
        k = min(state.k, service.settings.limits.k)
        explanation = await service.explain(variant, who.now, id, k, MOST)
    except (NotFoundError, DataError, ModelError) as error:
        return replace(view, problem=sentence(error))
    return replace(
        view, why=why_of(things, explanation, service.wording, state.off), is_had=explanation.in_history
    )


def ways_of(modalities: Sequence[str], wording: Wording) -> list[tuple[str, str]]:
    """Return the ways in which items are compared, and what they are called."""
    named = [(name, f"By {wording.noun(name)}") for name in modalities]
    return [*named, (LEARNED, "By what the model has learned")]


async def _strip(
    service: Service, served: Served, things: Things, thing: Thing, by: str, label: str
) -> Strip:
    try:
        id = served.items.ids([thing.row])[0]
        found = await service.similar(served, id, N_LIKE, by)
    except (DataError, ModelError) as error:
        return Strip(by, label, problem=sentence(error))
    return Strip(by, label, tuple(Like(things.of_id(like.item_id), like.similarity) for like in found))
