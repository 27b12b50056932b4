"""Recommender: ids in, ranked items with reasons out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl
import torch

from irisrec.data.catalog import Catalog
from irisrec.errors import DataError, ModelError
from irisrec.files import sha256
from irisrec.ids import Id, IdMap
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.models.masked import without
from irisrec.models.prepared import PreparedItemSimilarity, prepared
from irisrec.progress import say
from irisrec.recommendation.asking import Asked, as_histories, ask_for_history, ask_for_user
from irisrec.recommendation.choosing import Floats, Ints, first_k
from irisrec.recommendation.history import History
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.likeness import Likeness
from irisrec.recommendation.ranked import RankedLists, top_reasons
from irisrec.recommendation.results import Reason, Recommendation
from irisrec.recommendation.retrieval import Retriever, may_retrieve
from irisrec.recommendation.rule_tables import RuleTables, probabilities, resolve
from irisrec.recommendation.rules import LEARNED, Rules
from irisrec.recommendation.splits import split_reasons
from irisrec.sums import fingerprint_of_sealed

if TYPE_CHECKING:
    from irisrec.features.encoders.base import Encoder
    from irisrec.recommendation.adding import NewItem, NewRows
    from irisrec.recommendation.explanation import Explanation
    from irisrec.recommendation.similar import SimilarItem

_SCORES_AT_ONCE = 1 << 22  # users x items scored at once: 16 MB in float32
_RULES_KEPT = 64
_RETRIEVED_AT_ONCE = 64  # users for whom a linear score is fitted at once


class Recommender:
    """A trained model that speaks ids: needs no data set, only what its run folder holds.

    Attributes:
        fingerprint: a hash of the files it was loaded from; empty where there are none.

    Args:
        model: scores histories of item rows.
        catalog: row ``i`` describes item ``i``.
        known: users whose histories are known.
        prepare: whether what no request changes is computed at the first one, such as the pairs of all items; not
            worth it for a single request.
        exact: whether the exact scores of all items are ranked in any catalog; else in a large one only those of the
            items that a linear score puts first, see `irisrec.recommendation.retrieval`.
        encoders: of the content of new items, by modality.
    """

    def __init__(
        self,
        model: Scorer,
        catalog: Catalog,
        known: KnownUsers | None = None,
        *,
        prepare: bool = True,
        exact: bool = False,
        encoders: Mapping[str, Encoder] | None = None,
    ) -> None:
        self.model = model.eval()
        self.catalog = catalog
        self.items = IdMap(catalog.frame["item_id"], "item")
        self.known = known
        self.fingerprint = ""
        self._exact, self._retrieves = exact, not exact and may_retrieve(model)
        self._prepare = prepare or self._retrieves
        self._encoders = encoders
        self._folder: Path | None = None  # of encoders that are not loaded yet
        self._rules: dict[str, RuleTables] = {}
        self._titles = catalog.titles

    @classmethod
    def load(cls, run: Path | str, *, prepare: bool = True, exact: bool = False) -> Self:
        """Load from a run folder; ``prepare`` and ``exact`` as of the class."""
        from irisrec.recommendation.loading import load_recommender

        model, catalog, known = load_recommender(Path(run), whole=prepare)
        loaded = cls(model, catalog, known, prepare=prepare, exact=exact)
        loaded.fingerprint = fingerprint_of_sealed(Path(run))
        loaded._folder = Path(run)
        return loaded

    def without(self, modalities: Collection[str]) -> Self:
        """Return a recommender that scores as if no item had these modalities; it shares everything else.

        It keeps the towers' results, not those of all pairs, so that several may stand side by side.
        """
        model = without(self.model, modalities)
        scorer = prepared(model, 0) if self._prepare else model
        masked = type(self)(scorer, self.catalog, self.known, prepare=False, encoders=self._encoders)
        masked._folder = self._folder
        masked.fingerprint = self.fingerprint
        return masked

    @property
    def users(self) -> IdMap | None:
        """The ids of the known users."""
        return None if self.known is None else self.known.ids

    def history_of(self, user: Id) -> list[Id]:
        """Return the items that a known user had."""
        known = self._known_users
        return self.items.ids(known.history(known.row(user))[0])

    def recommend(
        self,
        user: Id | None = None,
        *,
        history: Iterable[Id] | History | None = None,
        k: int = 10,
        n_reasons: int = 3,
        rules: Rules | None = None,
        half_life: float | None = None,
    ) -> list[Recommendation]:
        """Return the ``min(k, allowed)`` best items for a known user, or for anybody with a history.

        Equal scores keep the order of the catalog. An empty history is allowed: only the items' biases speak then.
        A model that learns something per user (``knows_users_only``) answers for known users alone.

        Args:
            user: id of a user the model was trained with; or
            history: item ids, in any order; repeated ones count once. A `History` brings weights and times.
            k: number of items wanted.
            n_reasons: number of history items to name for each.
            rules: what the list must and should be like; by default only that the history's items are left out.
            half_life: age at which a history item counts half of a new one, in days, or in the unit of times that are
                plain numbers; see `irisrec.recommendation.history.recency`.
        """
        if (user is None) == (history is None):
            raise DataError(
                "recommend for either a user or a history, got " + ("neither" if user is None else "both")
            )
        asked = [self.ask(user, history or (), half_life)]
        lists = self.rank(asked, k, n_reasons, self.resolved(rules or Rules()), modalities=True)
        return self.described(lists)[0]

    def recommend_many(
        self,
        histories: Iterable[Iterable[Id] | History] | None = None,
        *,
        users: Iterable[Id] | None = None,
        k: int = 10,
        n_reasons: int = 3,
        rules: Rules | None = None,
        half_life: float | None = None,
        modalities: bool = True,
    ) -> Iterator[list[Recommendation]]:
        """Yield the list of each history, or of each known user, in their order; arguments as of `recommend`.

        Reasons that are not split among the ``modalities`` take a fraction of the time.
        Reads and holds a bounded number of histories at a time, so any number may stream through.
        """
        if (users is None) == (histories is None):
            raise DataError(
                "recommend for either users or histories, got " + ("neither" if users is None else "both")
            )
        tables = self.resolved(rules or Rules())
        if users is not None:
            whom = (self.ask(user, half_life=half_life) for user in users)
        else:
            whom = (self.ask(history=history, half_life=half_life) for history in histories or ())
        while some := list(islice(whom, self.at_once)):
            yield from self.described(self.rank(some, k, n_reasons, tables, modalities))

    def explain(
        self,
        item: Id,
        user: Id | None = None,
        *,
        history: Iterable[Id] | History | None = None,
        k: int = 10,
        n_reasons: int = 3,
        half_life: float | None = None,
    ) -> Explanation:
        """Say why an item is, or is not, among the first ``k`` of all items that somebody did not have.

        Any item can be asked about: one that is recommended, one that is not, one of the history.

        Args:
            item: id of the item.
            user: as of `recommend`; or
            history: as of `recommend`.
            k: how many items are recommended.
            n_reasons: most history items to name for the item, and against it.
            half_life: as of `recommend`.
        """
        if (user is None) == (history is None):
            raise DataError(
                "explain to either a user or a history, got " + ("neither" if user is None else "both")
            )
        return self.explain_to(self.ask(user, history or (), half_life), item, k, n_reasons)

    @torch.no_grad()
    def explain_to(self, asked: Asked, item: Id, k: int = 10, n_reasons: int = 3) -> Explanation:
        """Return `explain` for somebody who is in rows already."""
        from irisrec.recommendation.explaining import Explainer

        if k < 1:
            raise DataError(f"k must be at least 1, got {k}")
        row = int(self.items.index([item])[0])
        histories = as_histories([asked])
        scores = self._scorer.score(histories)[0].double().numpy()
        explainer = Explainer(self._scorer, histories, scores, self._likeness, self._name)
        return explainer.explain(row, k, n_reasons)

    @torch.no_grad()
    def similar_items(self, item: Id, k: int = 10, by: str = LEARNED) -> list[SimilarItem]:
        """Return the ``k`` items most similar to an item, best first; equal ones in the order of the catalog.

        ``by`` as of `irisrec.recommendation.similar.similarities`; items that do not have the modality are left out.
        """
        from irisrec.recommendation.similar import SimilarItem, similarities

        if k < 1:
            raise DataError(f"k must be at least 1, got {k}")
        row = int(self.items.index([item])[0])
        found = similarities(self._scorer, row, by, self._titles[row]).double().numpy()
        rows = first_k(found[None], k)[0]
        return [SimilarItem(*self._name(int(other)), float(found[other])) for other in rows if other >= 0]

    def _name(self, row: int) -> tuple[Id, str]:
        return self._ids[row], self._titles[row]

    @property
    def encoders(self) -> Mapping[str, Encoder]:
        """What made the vectors of each modality, loaded from the run folder when first asked for."""
        if self._encoders is None:
            from irisrec.recommendation.loading import load_run_encoders

            self._encoders = load_run_encoders(self._folder) if self._folder else {}
        return self._encoders

    def read_new_items(self, items: Iterable[NewItem], root: Path | str = "") -> NewRows:
        """Check and encode new items; ``root`` is the folder that relative paths of pictures start from."""
        from irisrec.recommendation.adding import read_new_items

        return read_new_items(list(items), self.catalog, self.items, self.model, self.encoders, Path(root))

    def add_items(self, items: Iterable[NewItem] | NewRows, root: Path | str = "") -> Self:
        """Return a recommender that also knows new items, to recommend and as history; this one stays as it is.

        Nothing is trained: what stands for what others have learned of an item comes from its content alone, see
        `irisrec.models.item_similarity.ItemSimilarity.takes_new_items`. Lists of people without new items in their
        history change only by new items among them. What has been computed for the old items is taken over.

        Args:
            items: with ids that are not there yet and some content each, or what `read_new_items` made of them.
            root: as of `read_new_items`.

        Raises:
            DataError, FeatureError: items that cannot be added, in one sentence; then none is.
            ModelError: a model that learns items by their ids alone.
        """
        from irisrec.models.growing import with_new_items
        from irisrec.recommendation.adding import NewRows

        new = items if isinstance(items, NewRows) else self.read_new_items(items, root)
        model = with_new_items(self.model, new.features, new.present)
        catalog = Catalog(pl.concat([self.catalog.frame, new.catalog.frame]))
        known = None if self.known is None else self.known.with_new_items(len(new.catalog))
        grown = type(self)(
            model, catalog, known, prepare=self._prepare, exact=self._exact, encoders=self._encoders
        )
        grown._folder = self._folder
        grown.fingerprint = sha256(self.fingerprint, new.fingerprint)
        scorer = self.__dict__.get("_scorer")
        if isinstance(scorer, PreparedItemSimilarity):
            grown.__dict__["_scorer"] = scorer.grown(model)
        return grown

    @property
    def at_once(self) -> int:
        """How many users are scored at once, so that memory stays bounded."""
        if self._retrieves:
            return _RETRIEVED_AT_ONCE
        return max(1, min(1024, _SCORES_AT_ONCE // len(self.items)))

    def resolved(self, rules: Rules) -> RuleTables:
        """Look rules up in this recommender's catalog; those used lately are remembered."""
        key = rules.model_dump_json()
        found = self._rules.get(key)  # other threads may clear them at any moment
        if found is None:
            found = resolve(rules, self.catalog, self.items, self._scorer, self.known)
            if len(self._rules) >= _RULES_KEPT:
                self._rules.clear()
            self._rules[key] = found
        return found

    def ask(
        self, user: Id | None = None, history: Iterable[Id] | History = (), half_life: float | None = None
    ) -> Asked:
        """Turn a known user, or else a history, into rows."""
        if user is not None:
            return ask_for_user(self._known_users, user, half_life)
        return ask_for_history(self.items, history, half_life)

    @torch.no_grad()
    def rank(
        self, asked: Sequence[Asked], k: int, n_reasons: int, rules: RuleTables, modalities: bool = False
    ) -> RankedLists:
        """Rank the items for a number of users that fits into memory, see `at_once`."""
        if k < 1:
            raise DataError(f"k must be at least 1, got {k}")
        histories = as_histories(asked)
        choose = self._choose_of_all if self._retriever is None else self._retriever.choose
        items, kept = choose(histories, rules, k)
        reasons = top_reasons(self._scorer, histories, items, n_reasons)
        splits = None
        if modalities:
            splits = split_reasons(self._scorer, histories, items, reasons.items, self._likeness)
        return RankedLists(items, kept, reasons, splits)

    def _choose_of_all(self, histories: Histories, rules: RuleTables, k: int) -> tuple[Ints, Floats]:
        """Return item rows (B, K), -1 where fewer are allowed, and their scores."""
        scores = self._scorer.score(histories).numpy()  # (B, N)
        if not np.isfinite(scores).all():
            raise ModelError("the model gave scores that are not finite; it cannot be ranked by them")
        seen = (histories.owners.numpy(), histories.items.numpy())
        items = rules.choose(scores, np.arange(len(self.items)), seen, k)
        return items, np.where(items >= 0, np.take_along_axis(scores, items, axis=1), np.nan).astype(
            np.float64
        )

    def described(self, lists: RankedLists) -> list[list[Recommendation]]:
        """Put names to ranked lists."""
        return [self._described(lists, user) for user in range(len(lists.items))]

    def _described(self, lists: RankedLists, user: int) -> list[Recommendation]:
        n = int((lists.items[user] >= 0).sum())
        rows, scores = lists.items[user, :n], lists.scores[user, :n]
        likely = probabilities(scores).tolist() if self.model.is_probabilistic else [None] * n
        return [
            Recommendation(
                self._ids[row],
                self._titles[row],
                float(scores[place]),
                likely[place],
                self._because(lists, user, place),
            )
            for place, row in enumerate(rows.tolist())
        ]

    def _because(self, lists: RankedLists, user: int, place: int) -> tuple[Reason, ...]:
        return tuple(
            Reason(
                item_id=self._ids[row],
                title=self._titles[row],
                relevance=lists.reasons.relevance[user, place, i].item(),
                contribution=lists.reasons.contribution[user, place, i].item(),
                **({} if lists.splits is None else lists.splits.of((user, place, i))),
            )
            for i, row in enumerate(lists.reasons.items[user, place].tolist())
            if row >= 0
        )

    @cached_property
    def _ids(self) -> list[Id]:
        ids: list[Id] = self.items.series.to_list()
        return ids

    @cached_property
    def _likeness(self) -> Likeness:
        return Likeness(self.model)

    @cached_property
    def _scorer(self) -> Scorer:
        return prepared(self.model) if self._prepare else self.model

    @cached_property
    def _retriever(self) -> Retriever | None:
        if not self._retrieves:
            return None
        assert isinstance(self._scorer, PreparedItemSimilarity)
        found = Retriever(self._scorer)
        say(
            f"retrieval: of {len(self.items):,} items the {found.n_candidates:,} best by a linear score and more are "
            "ranked exactly (--exact, or Recommender.load(run, exact=True), ranks all)"
        )
        return found

    @property
    def _known_users(self) -> KnownUsers:
        if self.known is None:
            raise DataError("this recommender knows no users; give a history of item ids")
        return self.known
