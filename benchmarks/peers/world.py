"""What all models are fitted to and judged on: one split of MovieLens-100K, with the genres as content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.load import load_dataset
from irisrec.data.splits import Split, split_dataset
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.per_user import per_user_frame
from irisrec.features.encode import encode_catalog
from irisrec.files import cache_folder
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories

CONTENT = "class"  # the genres, the only content that the files have


class Given(Scorer):
    """Scores that somebody else computed, (n_users, N)."""

    knows_users_only = True

    def __init__(self, scores: Tensor) -> None:
        super().__init__(scores.shape[1], scores.shape[0])
        self.scores = scores

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Look them up."""
        assert histories.users is not None
        rows = self.scores[histories.users]
        return rows if candidates is None else rows[:, candidates]


@dataclass(frozen=True)
class World:
    """Data, split, and the vectors of the items (N, F)."""

    dataset: Dataset
    split: Split
    vectors: Tensor

    def frame(self, scorer: Scorer) -> pl.DataFrame:
        """Judge on test, user by user."""
        config = EvaluationConfig(cutoffs=(10,), lists=False, calibration=False)
        return per_user_frame(evaluate(scorer, self.split, config), self.split, self.dataset.users)


def load(root: Path, n_users: int | None) -> World:
    """Read the data of all or some users, split them, and turn the genres into vectors of zeros and ones."""
    dataset = load_dataset(DataConfig(source="recbole", root=root))
    if n_users:
        kept = dataset.user_index < n_users
        users, items = dataset.users.series.gather(dataset.user_index[kept]), dataset.item_index[kept]
        frame = pl.DataFrame({"user_id": users, "item_id": dataset.items.series.gather(items)})
        dataset = Dataset.build(Interactions(frame), dataset.catalog)
    split = split_dataset(dataset, SplitConfig(), root)
    genres = {"content": {"encoder": "columns", "columns": [CONTENT], "separators": {CONTENT: " "}}}
    encoded = encode_catalog(dataset.catalog, genres, root, cache_folder() / "features")
    return World(dataset, split, torch.from_numpy(encoded.tables["content"].align(dataset.items)[0]))
