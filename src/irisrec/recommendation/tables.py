"""Ranked lists as tables with ids and titles: one row per recommendation, the reasons nested in it or beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.ids import Id
from irisrec.recommendation.ranked import RankedLists
from irisrec.recommendation.rule_tables import probabilities


@dataclass(frozen=True)
class Naming:
    """Turns rows into ids and titles.

    Attributes:
        catalog: row ``i`` describes item ``i``.
        user_ids: whether the users' ids are strings or integers.
        is_probabilistic: whether scores have probabilities; else that column is null.
    """

    catalog: Catalog
    user_ids: Literal["string", "integer"]
    is_probabilistic: bool

    @cached_property
    def _ids(self) -> pa.Array:
        return self.catalog.frame["item_id"].to_arrow()

    @cached_property
    def _titles(self) -> pa.Array:
        return self.catalog.frame["title"].to_arrow()

    def nested(self, users: Sequence[Id], lists: RankedLists) -> pa.Table:
        """Return user_id, rank, item_id, title, score, probability, reasons: a list of structures, best first."""
        there = lists.items >= 0  # (B, K)
        named = lists.reasons.items[there]  # (rows, R)
        offsets = np.concatenate([[0], np.cumsum((named >= 0).sum(1))])
        flat = named >= 0
        columns = self._item(named[flat]) | {
            "relevance": _floats(lists.reasons.relevance[there][flat]),
            "contribution": _floats(lists.reasons.contribution[there][flat]),
        }
        structs = pa.StructArray.from_arrays(list(columns.values()), list(columns))
        reasons = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)
        return pa.table(self._recommended(users, lists, there) | {"reasons": reasons})

    def flat(self, users: Sequence[Id], lists: RankedLists, n_reasons: int) -> pa.Table:
        """Return the same with four columns for each of ``n_reasons`` reasons, null where an item has fewer."""
        there = lists.items >= 0
        table = self._recommended(users, lists, there)
        reasons = lists.reasons
        beyond = ((0, 0), (0, n_reasons - reasons.items.shape[2]))
        rows = np.pad(reasons.items[there], beyond, constant_values=-1)
        relevance, contribution = (
            np.pad(values[there], beyond, constant_values=np.nan)
            for values in (reasons.relevance, reasons.contribution)
        )
        for place in range(n_reasons):
            columns = self._item(rows[:, place]) | {
                "relevance": _floats(relevance[:, place]),
                "contribution": _floats(contribution[:, place]),
            }
            table |= {f"reason_{place + 1}_{name}": column for name, column in columns.items()}
        return pa.table(table)

    def _recommended(
        self, users: Sequence[Id], lists: RankedLists, there: NDArray[np.bool_]
    ) -> dict[str, pa.Array]:
        owners, places = np.nonzero(there)
        ids = pa.array(users, pa.int64() if self.user_ids == "integer" else pa.string())
        scores = lists.scores[there]
        likely = probabilities(scores) if self.is_probabilistic else np.full(len(scores), np.nan)
        return (
            {"user_id": ids.take(pa.array(owners)), "rank": pa.array(places + 1, pa.int32())}
            | self._item(lists.items[there])
            | {"score": _floats(scores), "probability": _floats(likely)}
        )

    def _item(self, rows: NDArray[np.int64]) -> dict[str, pa.Array]:
        picked = pa.array(rows, mask=rows < 0)
        return {"item_id": self._ids.take(picked), "title": self._titles.take(picked)}


def _floats(values: NDArray[np.floating]) -> pa.Array:
    return pa.array(values.astype(np.float32), mask=np.isnan(values))
