"""split_dataset: which interactions are for training, and which are held out as targets."""

from __future__ import annotations

from pathlib import Path

from irisrec.data.config import SplitConfig
from irisrec.data.dataset import Dataset
from irisrec.data.leave_one_out import leave_one_out
from irisrec.data.split import Split
from irisrec.data.split_files import split_by_files

__all__ = ["Split", "leave_one_out", "split_by_files", "split_dataset"]


def split_dataset(dataset: Dataset, config: SplitConfig, root: Path | None = None) -> Split:
    """Hold out interactions as the config says.

    Args:
        dataset: loaded and filtered.
        config: section [split].
        root: the folder that the files of strategy ``files`` are relative to: ``data.root``.
    """
    if config.strategy == "files":
        return split_by_files(dataset, config, root or Path())
    return leave_one_out(dataset, config.strategy, config.validation_strategy, config.seed)
