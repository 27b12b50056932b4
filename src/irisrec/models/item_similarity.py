"""ItemSimilarity: FISM, NAIS and every IRIS as one model with different relevance."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import embedding

from irisrec.budget import at_once
from irisrec.models.config import ModelConfig
from irisrec.models.content_map import ContentMap
from irisrec.models.content_regression import ContentRegression
from irisrec.models.contract import TABLES_OF_SCORES, ModalityShares, Reasons
from irisrec.models.features import FeatureScaler, held_features, held_masks, hold_features
from irisrec.models.histories import Histories
from irisrec.models.item_tables import ItemTables, Part
from irisrec.models.modality_shares import shares_of
from irisrec.models.pair_block import PairBlock, same_items
from irisrec.models.pair_kernel import pair_logits
from irisrec.models.pair_scores import PairScores
from irisrec.models.products import linear
from irisrec.models.relevance import AdditiveAttention, ProductAttention
from irisrec.models.ridge import RidgeTerm
from irisrec.models.shapley import coalitions
from irisrec.models.towers import FeatureTowers
from irisrec.models.trainable import Scored, Trainable

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# tables of pairs that are alive at once: in a step with and without attention, and while scores are computed
TABLES_OF_PAIRS, TABLES_TO_SCORE = 13, 7
_FEW = (
    16  # columns, or users, that are computed together even where memory is short: one by one takes forever
)


_MANY = 8192  # users that one pass over the pairs serves: far more work than the pairs themselves


class ItemSimilarity(Trainable):
    r"""Score ``r_uj = b_j + |H\j|^-α Σ_{i ∈ H\j} a_ij p_i·q_j``, equations (2), (3) and (5).

    Nothing is learned per user (FISM's user bias is left out: it moves no ranking), so a user is a list of items.

    Args:
        config: which relevance, and its hyper-parameters.
        n_items: number of items N.
        features: {modality: (N, F) float}, vectors as the encoders made them; not read by FISM and NAIS.
        present: {modality: (N,) bool}.
        scalers: {modality: what to scale its vectors by}, for weights that were trained with them.

    Attributes:
        trained: (N,) bool, the items that people could have had in training, where something stands for the others.
    """

    trained: Tensor
    has_reasons: ClassVar[bool] = True
    per_item: ClassVar[tuple[str, ...]] = ("history_factors", "candidate_factors", "bias")

    def __init__(
        self,
        config: ModelConfig,
        n_items: int,
        features: Mapping[str, Tensor] | None = None,
        present: Mapping[str, Tensor] | None = None,
        scalers: Mapping[str, FeatureScaler] | None = None,
    ) -> None:
        super().__init__(n_items)
        self.config = config
        self.modalities = config.modalities_of(tuple(features or {}))
        self.history_factors = nn.Parameter(torch.empty(n_items, config.dim).normal_(0, config.init_std))  # P
        self.candidate_factors = nn.Parameter(
            torch.empty(n_items, config.dim).normal_(0, config.init_std)
        )  # Q
        self.bias = nn.Parameter(torch.zeros(n_items)) if config.item_bias else None
        scaling = config.feature_scaling
        self.scalers = hold_features(self, self.modalities, features, present, scaling, scalers)
        self.towers: FeatureTowers | None = None
        self.content: ContentMap | None = None
        self.attention: AdditiveAttention | ProductAttention | None = None
        self._build_relevance(config)
        # tables of some items, ascending, or of all, while blocks of candidates share them
        self._shared: tuple[Tensor | None, ItemTables] | None = None
        self.ridge = (
            RidgeTerm(n_items, config.ridge, config.ridge_content, config.ridge_new) if config.ridge else None
        )
        if self.takes_new_items:
            self.register_buffer("trained", torch.ones(n_items, dtype=torch.bool))
        self._regression: ContentRegression | None = None

    def _build_relevance(self, config: ModelConfig) -> None:
        width = config.attention_dim or config.dim
        if self.modalities:
            widths = {name: self.features[name].shape[1] for name in self.modalities}
            sharing = config.name == "multimodal-iris"
            self.towers = FeatureTowers(
                widths, config.hidden, config.dim, config.activation, sharing, config.dropout
            )
            if config.content_factors:
                self.content = ContentMap(self.features, config.dim, self.maps_content, config.item_bias)
            inputs = dict.fromkeys(self.modalities, config.dim)
            self.attention = AdditiveAttention(inputs, width, config.activation)
        elif config.name == "nais" and config.attention == "product":
            self.attention = ProductAttention(config.dim, width, config.activation)
        elif config.name == "nais":
            self.attention = AdditiveAttention({"latent": config.dim}, width, config.activation)

    @property
    def maps_content(self) -> bool:
        """Whether a content map that has learned to do without ids stands for items without training interactions."""
        return self.config.content_factors and self.config.id_dropout > 0

    @property
    def takes_new_items(self) -> bool:
        """Whether anything stands for the ids of items without training interactions: their content, in some way.

        With content factors these are the item's whole factors, as history and as candidate. Beside a ridge term it
        has the weights that the `ContentRegression` says, and as a candidate no factors; without content factors its
        factors as history are those that the regression says. Its bias is `usual_bias`, or what the content map says
        where that has learned to.
        """
        return self.content is not None or (self.ridge is not None and bool(self.modalities))

    def adds_by_content(self, items: Tensor | None = None) -> bool:
        """Whether what the ridge term adds for some of the items, or of all, comes from their content."""
        if self.ridge is None or not self.takes_new_items:
            return False
        return not bool((self.trained if items is None else self.trained[items]).all())

    @property
    def regression(self) -> ContentRegression:
        """What stands beside a ridge term for items without interactions; made once."""
        if self._regression is None:
            self._regression = ContentRegression(self.features, self.trained, self.config.ridge_map)
        return self._regression

    @property
    def scores_cold_items(self) -> bool:
        """By content, in the factors or in the ridge regression: an item's own factors may then be untrained."""
        return self.content is not None or bool(self.config.ridge and self.config.ridge_content)

    @property
    def features(self) -> dict[str, Tensor]:
        """The scaled vectors (N, F) of each modality that the model reads."""
        return held_features(self, self.modalities)

    @property
    def present(self) -> dict[str, Tensor]:
        """Which items have each modality, (N,) bool."""
        return held_masks(self, self.modalities)

    @property
    def new_are_negatives(self) -> bool:
        """An item that nobody could have had would only teach the content factors to rank low what looks like it."""
        return self.content is None

    def begin_training(self, train: csr_matrix, new: NDArray[np.bool_] | None = None) -> None:
        """Note which items are new, and find the ridge regression's weights where there are any."""
        if self.takes_new_items:
            if new is None:
                new = np.bincount(train.indices, minlength=self.n_items) == 0
            self.trained.copy_(torch.from_numpy(~new))
        if self.ridge is not None:
            self._regression = None
            self.ridge.fit(train, self.features, self.regression if self.takes_new_items else None)

    @torch.no_grad()
    def start_bias(self, bias: Tensor) -> None:
        """Begin with biases b_j (N,); where content maps to them, from their mean."""
        assert self.bias is not None
        bias = bias.to(self.bias.device)
        if self.content is not None and self.content.bias is not None:
            self.content.base.copy_(bias[self.trained].mean())
            bias = torch.where(self.trained, bias - self.content.base, 0.0)
        self.bias.copy_(bias)

    def training_scores(
        self, known: Histories, had: Histories, candidates: Tensor | None = None
    ) -> Iterator[Scored]:
        """Yield the (B, C) scores, in which no user has a part in the ridge regression's weights."""
        if self.ridge is None:
            yield Scored(1.0, self.score(known, candidates))
            return
        rows, local = known.localized()
        tables = self.item_tables(None)
        columns = tables if candidates is None else tables.picked(candidates)
        pairs = self.pair_scores(tables.picked(rows), columns, rows, candidates, with_ridge=False)
        scores = self.score_block(pairs, local, known, candidates)
        linear = self.ridge.training_scores(known, had)
        yield Scored(1.0, scores + (linear if candidates is None else linear[:, candidates]))

    @contextmanager
    def shared_pass(self, items: Tensor | None) -> Iterator[None]:
        """Run towers and linear maps once for all blocks of candidates; gradients are summed and go back once."""
        if self.ridge is not None:
            items = None  # its weights are of all items
        tables = self.item_tables(items)
        if isinstance(self.attention, AdditiveAttention):
            a, b = self._sides(tables, tables)
            tables = replace(tables, outputs={}, a=a, b=b)
        leaves = tables.leaves()
        self._shared = items, leaves
        try:
            yield
        finally:
            self._shared = None
        tables.backward(leaves)

    def row_parameters(self) -> list[nn.Parameter]:
        """Return the latent factors."""
        return [self.history_factors, self.candidate_factors]

    def training_bytes(self, n_users: int, n_rows: int) -> int:
        """Count the tables of pairs, forward and backward, beside those of the loss."""
        of_pairs = 0 if self.attention is None else TABLES_OF_PAIRS
        return 4 * of_pairs * n_rows + super().training_bytes(n_users, n_rows)

    def parameter_groups(self) -> dict[str, list[Tensor]]:
        """The weights by the groups of equation (12): λ1 embeddings, λ2 attention, λ3 towers, λ4 share."""
        groups: dict[str, list[Tensor]] = {"embeddings": [self.history_factors, self.candidate_factors]}
        if self.attention is not None:
            groups["attention"] = [p for p in self.attention.parameters() if p.ndim == 2]
        if self.towers is not None:
            share = [] if self.towers.share is None else [self.towers.share.weight]
            groups["towers"] = [
                p for p in self.towers.parameters() if p.ndim == 2 and all(p is not s for s in share)
            ]
            groups["share"] = share
        if self.content is not None:
            groups["towers"] += [p for p in self.content.parameters() if p.ndim == 2]
        return groups

    @property
    def rounds_products(self) -> bool:
        """Whether there are pairs: in FISM the sum of a user's factors would be rounded, which is not one item's."""
        return self.attention is not None

    @property
    def pair_activations(self) -> float:
        """Every item against every item, times the attention's width."""
        width = self.config.attention_dim or self.config.dim
        return 0.0 if self.attention is None else float(self.n_items) ** 2 * width

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Return (B, C) logits of every user for every candidate, through one block of pairs.

        ``candidates`` (C,) are ascending item rows; None means all items in order.
        """
        rows, local = histories.localized()
        pairs = self.pair_scores(*self._tables_of(rows, candidates), rows, candidates)
        return self.score_block(pairs, local, histories, candidates)

    def score_block(
        self, block: PairBlock | PairScores, local: Histories, histories: Histories, candidates: Tensor | None
    ) -> Tensor:
        """Return (B, C) logits from a block of pairs, where ``local`` are the histories over the block's rows."""
        n_others = None
        if self.config.alpha != 0:
            n_columns = self.n_items if candidates is None else len(candidates)
            n_others = histories.others(candidates, n_columns, self.history_factors.dtype)
        return block.scores(local, n_others)

    def pair_block(
        self, rows: Tensor, candidates: Tensor | None, kept: Collection[str] | None = None
    ) -> PairBlock:
        """Compute relevance and similarity of history rows (R,) against candidates (C,), all items if None.

        ``kept`` names the modalities that all items keep, the others being absent; None means all.
        """
        return self.block_of(*self._tables_of(rows, candidates, kept), rows, candidates, kept)

    def _tables_of(
        self, rows: Tensor, candidates: Tensor | None, kept: Collection[str] | None = None
    ) -> tuple[ItemTables, ItemTables]:
        """Return the tables of history rows (R,) and of candidates (C,); one pass through the towers serves both."""
        if candidates is None:
            columns = self.item_tables(None, kept)
            return columns.picked(rows), columns
        if self._shared is not None:
            return self.item_tables(rows), self.item_tables(candidates)
        items, places = torch.unique(torch.cat([rows, candidates]), return_inverse=True)
        tables = self.item_tables(items, kept)
        history, columns = (tables.picked(part) for part in places.split([len(rows), len(candidates)]))
        return history, columns

    def block_of(
        self,
        history: ItemTables,
        columns: ItemTables,
        rows: Tensor,
        candidates: Tensor | None,
        kept: Collection[str] | None = None,
    ) -> PairBlock:
        """Compute relevance and similarity of history rows (R,) and candidates (C,) whose tables are there."""
        added = None if self.ridge is None else self._added(rows, candidates, kept)
        return PairBlock(
            logits=self._logits(history, columns),
            similarity=linear(history.p, columns.q),
            same=same_items(rows, candidates),
            alpha=self.config.alpha,
            beta=self.config.beta,
            added=added,
            bias=columns.bias,
        )

    def pair_scores(
        self,
        history: ItemTables,
        columns: ItemTables,
        rows: Tensor,
        candidates: Tensor | None,
        with_ridge: bool = True,
    ) -> PairScores:
        """Prepare the scores that `block_of` gives, where the pairs themselves are not asked for."""
        ridge = self.ridge if with_ridge else None

        def make_block() -> PairBlock:
            block = self.block_of(history, columns, rows, candidates)
            return block if with_ridge else replace(block, added=None)

        return PairScores(
            sides=self._relu_sides(history, columns),
            factors=(history.part("p"), columns.part("q")),
            is_uniform=self.attention is None,
            rows=rows,
            columns=candidates,
            alpha=self.config.alpha,
            beta=self.config.beta,
            bias=columns.bias,
            additions=None if ridge is None else partial(self._added, rows, candidates, None),
            make_block=make_block,
        )

    def item_tables(self, items: Tensor | None, kept: Collection[str] | None = None) -> ItemTables:
        """Compute factors, biases and towers of some items (n,), of all if None; ``kept`` as of `pair_block`."""
        if self._shared is not None:
            there, tables = self._shared
            if items is None:
                return tables
            return tables.picked(items if there is None else torch.searchsorted(there, items))

        def pick(table: Tensor) -> Tensor:
            return table if items is None else table.index_select(0, items)

        def learned(table: Tensor) -> Tensor:
            return table if items is None else embedding(items, table, sparse=self.sparse_gradients)

        p, q = learned(self.history_factors), learned(self.candidate_factors)
        bias = None if self.bias is None else pick(self.bias)
        if self.towers is None:
            return ItemTables(p, q, {}, bias)
        present = {name: pick(mask) for name, mask in self.present.items()}
        features = {name: pick(x) for name, x in self.features.items()}
        if kept is not None:
            present = {name: mask & (name in kept) for name, mask in present.items()}
            features = {name: x * (name in kept) for name, x in features.items()}
        outputs = self.towers(features, present)
        known = self._known(items)
        if known is not None:
            p, q = (torch.where(known[:, None], x, 0.0) for x in (p, q))
            bias = None if bias is None else torch.where(known, bias, self.usual_bias)
        if self.content is not None:
            mapped = self.content(features)
            p = p + mapped.p
            q = q + (
                mapped.q
                if known is None or self.ridge is None
                else torch.where(known[:, None], mapped.q, 0.0)
            )
            if bias is not None and mapped.b is not None:
                bias = bias + mapped.b
        elif known is not None:
            p[~known] = self._combined(
                {name: x[~known] for name, x in features.items()}, self.history_factors
            )
        return ItemTables(p, q, outputs, bias)

    def _known(self, items: Tensor | None) -> Tensor | None:
        """Return whose ids are read (n,) out of some items; None where all are."""
        if not self.takes_new_items or (self.training and not self.maps_content):
            return None
        known = self.trained if items is None else self.trained[items]
        if self.training:
            known = known & (torch.rand(len(known), device=known.device) >= self.config.id_dropout)
        return None if bool(known.all()) else known

    def _combined(self, features: Mapping[str, Tensor], learned: Tensor) -> Tensor:
        """Return what the regression says (n, D) of items without ids, by what is learned of all items (N, D)."""
        return self.regression.shares(features).T.to(learned.dtype) @ learned[self.regression.rows]

    @property
    def usual_bias(self) -> Tensor:
        """The bias of an item of which nobody knows yet how popular it will be: the mean of the trained ones.

        Zero where a content map has learned to say it.
        """
        assert self.bias is not None
        if self.content is not None and self.content.bias is not None:
            return self.bias.new_zeros(())
        return self.bias[self.trained].mean()

    def _added(self, rows: Tensor, candidates: Tensor | None, kept: Collection[str] | None) -> Tensor:
        """Return what the ridge term adds (R, C), where all items keep only some modalities.

        Weights of trained items stay, wherever they came from: they are of pairs of ids.
        """
        assert self.ridge is not None
        added = self.ridge.pairs(rows, candidates)
        if kept is None or not self.adds_by_content():
            return added
        columns = torch.arange(self.n_items, device=rows.device) if candidates is None else candidates
        new_rows, new_columns = ~self.trained[rows], ~self.trained[columns]
        if not bool(new_rows.any() | new_columns.any()):
            return added
        trained = self.regression.rows

        def shares(items: Tensor) -> Tensor:
            content = {name: x[items] * (name in kept) for name, x in self.features.items()}
            return self.regression.shares(content).to(added.dtype)

        combined = shares(rows[new_rows]).T  # (r, T)
        added[new_rows] = combined @ self.ridge.pairs(trained, columns)
        of_trained = self.ridge.pairs(rows, trained)  # (R, T)
        of_trained[new_rows] = combined @ self.ridge.pairs(trained, trained)
        added[:, new_columns] = self.ridge.new * of_trained @ shares(columns[new_columns])
        return added

    def _logits(self, history: ItemTables, candidates: ItemTables) -> Tensor | None:
        if self.attention is None:
            return None
        if isinstance(self.attention, ProductAttention):
            return self.attention(history.p, candidates.q)  # type: ignore[no-any-return]
        a, b = self._sides(history, candidates)
        return pair_logits(a, b, self.attention.output, self.attention.activation)

    def _relu_sides(self, history: ItemTables, candidates: ItemTables) -> tuple[Part, Part, Tensor] | None:
        """Return both sides of an additive attention with ReLU, and what weighs its units; None of another one."""
        attention = self.attention
        if (
            not isinstance(attention, AdditiveAttention)
            or attention.activation != "relu"
            or self.history_factors.is_cuda
        ):
            return None
        if history.has_sides and candidates.has_sides:
            return history.part("a"), candidates.part("b"), attention.output
        a, b = self._sides(history, candidates)
        return Part(a), Part(b), attention.output

    def _sides(self, history: ItemTables, candidates: ItemTables) -> tuple[Tensor, Tensor]:
        """Return both sides of an additive attention, (R, D) and (C, D)."""
        assert isinstance(self.attention, AdditiveAttention)
        if history.a is not None and candidates.b is not None:
            return history.a, candidates.b
        if self.towers is None:
            return self.attention.sides({"latent": history.p}, {"latent": candidates.q})
        return self.attention.sides(history.outputs, candidates.outputs)

    @torch.no_grad()
    def candidate_vectors(self, candidates: Tensor) -> Tensor:
        """Return their factors q (C, D), where an item has none those that the regression says."""
        if not self.adds_by_content(candidates):
            return self.item_tables(candidates).q
        q, new = self.candidate_factors, ~self.trained[candidates]
        if self.content is not None:
            q = q + self.content(self.features).q
        vectors = q[candidates]
        features = {name: x[candidates[new]] for name, x in self.features.items()}
        vectors[new] = self._combined(features, q)
        return vectors

    @torch.no_grad()
    def reasons(self, history: Tensor, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Explain the scores of ``candidates`` (C,) for a user with ``history`` (L,), item rows in any order."""
        return self.explain_block(self.pair_block(history, candidates), candidates, weights)

    def explain_block(self, block: PairBlock, candidates: Tensor, weights: Tensor | None = None) -> Reasons:
        """Explain the scores of a user whose history are all rows of the block, or of each user of the block."""
        bias = block.biased(block.similarity.new_zeros(candidates.shape))
        relevance = block.relevance(weights)
        return Reasons(relevance, block.similarity, block.contributions(weights, relevance), bias)

    @torch.no_grad()
    def modality_shares(
        self, history: Tensor, candidates: Tensor, weights: Tensor | None = None
    ) -> ModalityShares:
        """Split relevance and contributions of `reasons` among the modalities, by masking them."""
        if not self.modalities:
            return super().modality_shares(history, candidates, weights)
        blocks = {kept: self.pair_block(history, candidates, kept) for kept in coalitions(self.modalities)}
        return shares_of(blocks, weights)

    @torch.no_grad()
    def scores_without(
        self, history: Tensor, candidates: Tensor | None = None, weights: Tensor | None = None
    ) -> Tensor:
        """Return (L, C) scores for a user without each item of the history (L,) in turn, from one block of pairs."""
        return self.pair_block(history, candidates).scores_without_each(weights)

    @torch.no_grad()
    def rank_scores(self, histories: Histories, batch: int = 1024) -> Iterator[Tensor]:
        """Yield (b, N) scores for successive parts of the histories; pairs are computed once where they fit."""
        training = self.training
        batch = at_once(batch, 4.0 * TABLES_OF_SCORES * self.n_items, share=0.5)
        self.eval()
        try:
            tables = self.item_tables(None)
            for start, stop in self._ranked_together(histories):
                group = histories.part(start, stop)
                rows, local = group.localized()
                if _columns_at_once(len(rows), self.n_items) < self.n_items:
                    scores = self.scores_by_blocks(tables, group)
                    yield from torch.split(scores, batch)
                    continue
                pairs = self.pair_scores(tables.picked(rows), tables, rows, None)
                together = at_once(min(len(group), _MANY), 4.0 * TABLES_OF_SCORES * self.n_items, share=0.5)
                for first in range(0, len(group), together):
                    last = min(first + together, len(group))
                    scores = self.score_block(pairs, local.part(first, last), group.part(first, last), None)
                    yield from torch.split(scores, batch)
        finally:
            self.train(training)

    def scores_by_blocks(
        self, tables: ItemTables, histories: Histories, candidates: Tensor | None = None
    ) -> Tensor:
        """Return the scores of `score` from the tables of all items, so many candidates at a time as memory holds."""
        rows, local = histories.localized()
        history = tables.picked(rows)
        n = self.n_items if candidates is None else len(candidates)
        step = _columns_at_once(len(rows), n)
        if step >= n:
            columns = tables if candidates is None else tables.picked(candidates)
            return self.score_block(
                self.pair_scores(history, columns, rows, candidates), local, histories, candidates
            )
        scores = tables.p.new_empty(len(histories), n)
        for start in range(0, n, step):
            some = torch.arange(start, min(start + step, n), device=rows.device)
            some = some if candidates is None else candidates[some]
            pairs = self.pair_scores(history, tables.picked(some), rows, some)
            scores[:, start : start + step] = self.score_block(pairs, local, histories, some)
        return scores

    def _ranked_together(self, histories: Histories) -> Iterator[tuple[int, int]]:
        """Yield stretches of users that one pass over the pairs serves: all whose pairs or whose scores fit."""
        n_rows = len(torch.unique(histories.items))
        if _columns_at_once(n_rows, self.n_items) >= self.n_items:
            yield 0, len(histories)
            return
        step = max(_FEW, at_once(len(histories), 4.0 * self.n_items, share=0.4))
        for start in range(0, len(histories), step):
            yield start, min(start + step, len(histories))


def _columns_at_once(n_rows: int, n_columns: int) -> int:
    """Return how many columns of pairs with so many rows fit into half of the memory that is left, a few at least."""
    return max(min(n_columns, _FEW), at_once(n_columns, 4.0 * TABLES_TO_SCORE * n_rows, share=0.5))
