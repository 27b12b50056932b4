"""The first view: whom it is for, what is recommended and why, and the catalog to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from irisrec.errors import DataError, ModelError
from irisrec.recommendation.rules import Rules
from irisrec.serving.errors import NotFoundError, UnavailableError
from irisrec.serving.page.browsing import Shelf, browse
from irisrec.serving.page.kinds import Kind, kinds_of
from irisrec.serving.page.moves import COMPARED, gone
from irisrec.serving.page.ranking import Row, rows_of
from irisrec.serving.page.sentences import sentence
from irisrec.serving.page.state import LENGTHS, State
from irisrec.serving.page.things import Thing, Things
from irisrec.serving.page.who import Someone, someone
from irisrec.serving.page.why import MOST, Why, why_of
from irisrec.serving.served import Served
from irisrec.serving.service import Service, Wanted

SHELF = 24  # pictures of the catalog on a page
_SAMPLES = 5
_MOST_SHOWN = 60  # history items


@dataclass(frozen=True)
class Past:
    """An item of the history: set aside, or counted."""

    thing: Thing
    is_dropped: bool
    is_added: bool


@dataclass(frozen=True)
class Sample:
    """A user to try, with some of what they had."""

    id: str
    n_items: int
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class Gone:
    """An item that was in the list before; ``was`` is its place then."""

    thing: Thing
    was: int


@dataclass(frozen=True)
class Ranking:
    """The list, and how it differs from what it was before something was set aside or switched off."""

    rows: tuple[Row, ...]
    gone: tuple[Gone, ...] = ()
    open_id: str = ""
    why: Why | None = None

    @property
    def n_moved(self) -> int:
        """Items of the list that stand elsewhere than before."""
        return sum(row.move is not None and row.move.kind != "same" for row in self.rows)


@dataclass(frozen=True)
class Home:
    """The view.

    Attributes:
        state: what was asked for.
        kinds: modalities and ids.
        history: what somebody had, as much as is shown; ``n_history`` is the number of all, ``n_counted`` of those
            that are not set aside.
        had: ids of the things on the shelf that are in the history.
        n_left_out: stored events that the run cannot count.
        ranking: None where there is nobody to recommend to.
        shelf: a page of the catalog, ``things`` the items on it.
        samples: users to try.
        n_users, n_items: of the run.
        has_reasons: whether the model can say why.
        takes_histories: whether anybody's history will do, not only a known user's.
        problem: why there is no list, in a sentence.
    """

    state: State
    kinds: tuple[Kind, ...]
    shelf: Shelf
    things: tuple[Thing, ...]
    n_users: int
    n_items: int
    has_reasons: bool
    takes_histories: bool
    history: tuple[Past, ...] = ()
    n_history: int = 0
    n_counted: int = 0
    had: frozenset[str] = frozenset()
    n_left_out: int = 0
    ranking: Ranking | None = None
    samples: tuple[Sample, ...] = ()
    problem: str = ""
    lengths: tuple[int, ...] = field(default=LENGTHS)

    @property
    def modalities(self) -> tuple[Kind, ...]:
        """The kinds that can be switched off."""
        return self.kinds[:-1]


async def home(service: Service, served: Served, state: State) -> Home:
    """Build the view; what somebody mistyped becomes its ``problem``."""
    things = Things(served)
    shelf = await service.compute("catalog", lambda: browse(served, state.q, state.page, SHELF))
    model = served.recommender.model
    view = Home(
        state=state,
        kinds=kinds_of(served, state.off, service.wording),
        shelf=shelf,
        things=things.of_rows(shelf.rows),
        n_users=len(served.known.ids),
        n_items=len(served.items),
        has_reasons=model.has_reasons,
        takes_histories=not model.knows_users_only,
        samples=await _samples(service, served, things),
        lengths=tuple(length for length in LENGTHS if length <= service.settings.limits.k) or LENGTHS[:1],
    )
    if not state.is_somebody:
        return view
    try:
        who = await someone(service, served, state)
        view = replace(
            view,
            history=_history(things, who, state),
            n_history=len(who.order),
            n_counted=len(who.now.items),
            n_left_out=who.n_left_out,
            had=frozenset(thing.id for thing in view.things if thing.row in set(who.now.items.tolist())),
        )
        return replace(view, ranking=await _ranking(service, served, state, who, things))
    except (NotFoundError, DataError, ModelError) as error:
        return replace(view, problem=sentence(error))


async def _ranking(service: Service, served: Served, state: State, who: Someone, things: Things) -> Ranking:
    k = min(state.k, service.settings.limits.k)
    variant = await service.compute("variant", lambda: served.without(state.off))
    dropped = served.items.ids(who.dropped)
    found = await service.recommend(variant, who.now, Wanted(k, 3, Rules(deny=tuple(dropped))))
    before = None
    if state.is_changed:
        whole = await service.recommend(served, who.whole, Wanted(COMPARED, 0))
        before = {str(item.item_id): place for place, item in enumerate(whole, start=1)}
    rows = rows_of(things, found, service.wording, before)
    ids = {row.thing.id for row in rows}
    left = [Gone(things.of_id(served.items.parse(id)), was) for id, was in gone(before or {}, ids, k)]
    ranking = Ranking(rows, tuple(left))
    wanted = state.why if state.why is not None else (rows[0].thing.id if rows else "")
    if wanted not in ids:
        return ranking
    explanation = await service.explain(variant, who.now, served.items.parse(wanted), k, MOST)
    return replace(ranking, open_id=wanted, why=why_of(things, explanation, service.wording, state.off))


def _history(things: Things, who: Someone, state: State) -> tuple[Past, ...]:
    dropped, added = set(who.dropped), set(state.added)
    found = []
    for row in who.order[-_MOST_SHOWN:]:
        thing = things.of_row(row)
        found.append(Past(thing, row in dropped, thing.id in added))
    return tuple(found)


async def _samples(service: Service, served: Served, things: Things) -> tuple[Sample, ...]:
    """Return some users from all over the run, none that asked to be forgotten, and none where that is not known."""
    n_users = len(served.known.ids)
    rows = sorted({place * n_users // _SAMPLES for place in range(_SAMPLES)})
    ids = served.known.ids.ids(rows)
    try:
        pasts = await service.in_store(lambda: service.store.pasts(ids, 1))
    except UnavailableError:
        return ()
    samples = []
    for row, id, past in zip(rows, ids, pasts, strict=True):
        if not past.is_forgotten:
            items, _ = served.known.history(row)
            samples.append(Sample(str(id), len(items), things.of_rows(items[:4])))
    return tuple(samples)
