"""A model of RecBole on pairs of users and items; runs in RecBole's own environment and knows nothing of irisrec."""

import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

np.float = float  # RecBole 1.2 asks for what NumPy has dropped

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

NAME = "pairs"


class World(NamedTuple):
    """What RecBole makes of a task: its config, its data, batches for training and for judging."""

    config: Any
    data: Any
    train: Any
    test: Any

    def build(self, name: str) -> Any:
        """Return a model, not trained."""
        return get_model(name)(self.config, self.train._dataset).to(self.config["device"])

    def trainer(self, model: Any) -> Any:
        """Return what trains and judges a model."""
        return get_trainer(self.config["MODEL_TYPE"], self.config["model"])(self.config, model)

    def steps(self, model: Any, epochs: int) -> Iterator[float]:
        """Train step by step, as the trainer does, so that it can be stopped at any; yield the seconds of each."""
        optimizer = torch.optim.Adam(model.parameters(), lr=self.config["learning_rate"])
        model.train()
        for _ in range(epochs):
            for batch in self.train:
                started = time.perf_counter()
                optimizer.zero_grad()
                model.calculate_loss(batch).backward()
                optimizer.step()
                yield time.perf_counter() - started


def prepared(task: dict, folder: Path) -> World:
    """Hand the pairs to RecBole, all of them for training, and where there are any the held-out ones for judging.

    Keys of the task: ``pairs`` and, if wanted, ``held``, .npy files of (n, 2) rows of users and items; ``model``;
    ``options``; ``seed``. ``folder`` is littered.
    """
    (folder / NAME).mkdir()
    parts = {"train": task["pairs"]} | (
        {"valid": task["held"], "test": task["held"]} if "held" in task else {}
    )
    for part, path in parts.items():
        lines = ["user_id:token\titem_id:token", *(f"{u}\t{i}" for u, i in np.load(path))]
        name = f"{NAME}.{part}.inter" if "held" in task else f"{NAME}.inter"
        (folder / NAME / name).write_text("\n".join(lines) + "\n")
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id"]},
        "benchmark_filename": list(parts) if "held" in task else None,
        "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "group_by": None, "mode": "full"},
        "metrics": ["Hit", "NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "use_gpu": False,
        "seed": task["seed"],
        "state": "WARNING",
        **task["options"],
    }
    sys.argv = sys.argv[:1]  # RecBole reads the command line too
    logging.disable(logging.INFO)
    config = Config(model=task["model"], dataset=NAME, config_dict=settings)
    init_seed(task["seed"], True)
    data = create_dataset(config)
    train, _, test = data_preparation(config, data)
    init_seed(task["seed"], True)
    return World(config, data, train, test)
