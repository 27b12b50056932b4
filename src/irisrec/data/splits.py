"""split_dataset: which interactions are for training, and which are held out as targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irisrec.data.cold import split_cold_items, split_cold_users
from irisrec.data.config import SplitConfig
from irisrec.data.dataset import Dataset
from irisrec.data.leave_one_out import leave_one_out
from irisrec.data.split import Split
from irisrec.data.split_files import split_by_files
from irisrec.data.split_shares import split_by_fold, split_by_ratio, split_by_time

__all__ = [
    "Split",
    "leave_one_out",
    "new_items",
    "split_by_files",
    "split_by_fold",
    "split_by_ratio",
    "split_by_time",
    "split_cold_items",
    "split_cold_users",
    "split_dataset",
]


def split_dataset(dataset: Dataset, config: SplitConfig, root: Path | None = None) -> Split:
    """Hold out interactions as the config says.

    Args:
        dataset: loaded and filtered.
        config: section [split].
        root: the folder that the files of strategy ``files`` are relative to: ``data.root``.
    """
    if config.strategy == "files":
        return split_by_files(dataset, config, root or Path())
    share = config.validation_share if config.validation is not False else 0.0
    if config.strategy == "ratio":
        return split_by_ratio(dataset, config.test_share, share, config.order, config.seed)
    if config.strategy == "k-fold":
        return split_by_fold(dataset, config.folds, config.fold, config.validation_strategy, config.seed)
    if config.strategy == "time":
        return split_by_time(dataset, config.test_share, share)
    if config.strategy == "cold-users":
        return split_cold_users(dataset, config.test_share, share, config.known_share, config.seed)
    if config.strategy == "cold-items":
        return split_cold_items(dataset, config.test_share, share, config.seed)
    return leave_one_out(dataset, config.strategy, config.validation_strategy, config.seed)


def new_items(split: Split, config: SplitConfig) -> NDArray[np.bool_]:
    """Return (n_items,) which items nobody could have had in training, as far as the split says.

    Where it holds whole items out, or cuts by time, an item without training interactions had not come yet. In every
    other split it was there all along and few wanted it; only what nobody had anywhere, kept in the catalog by
    `unseen_items`, is then new.
    """
    had = split.train
    if config.strategy not in ("cold-items", "time"):
        had = had + split.validation + split.test
    nobody: NDArray[np.bool_] = np.bincount(had.indices, minlength=had.shape[1]) == 0
    return nobody
