"""Whether our baselines are as good as those of Cornac and RecBole, on the same split with the same hyper-parameters.

    python benchmarks/peers_quality.py --data FOLDER                    all methods, three seeds
    python benchmarks/peers_quality.py --data FOLDER --only vbpr ease

FOLDER holds RecBole's files of MovieLens-100K. One random interaction of each user is held out for test, one for
validation, which nobody reads: everybody trains for the same number of epochs. Each peer is installed once into an
environment of its own under the cache folder (IRISREC_CACHE, as of irisrec) and trains by itself; its scores of all
pairs are judged by the same code as ours. What cannot be installed or run within its time is named and left out.

Batches are not the same thing: a peer takes 1,024 interactions at random per step, we take as many users as have about
that many. Regularisation is off where it means different things.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from peers.environments import MissingPeerError, python_of, scores_of, version_of
from torch import Tensor

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.load import load_dataset
from irisrec.data.splits import Split, split_dataset
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.per_user import per_user_frame
from irisrec.evaluation.seeds import average_over_seeds, spread_over_seeds
from irisrec.evaluation.significance import compare
from irisrec.experiments.markdown import table
from irisrec.features.encode import encode_catalog
from irisrec.files import cache_folder
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.trainable import Trainable
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

SHOWN = (("sampled-99", "hr@10"), ("sampled-99", "ndcg@10"), ("full", "hr@10"), ("full", "ndcg@10"))
PAIRS_PER_STEP = 1024
CONTENT = "class"  # the genres, the only content that the files have


@dataclass(frozen=True)
class Method:
    """One method here and at a peer.

    Attributes:
        ours: options of the model.
        training: options of the training loop, where it fits the model.
        peer, model, theirs: the same at the peer.
        reads_content: whether it is given vectors of the items.
        is_exact: whether the answer depends on no chance: one seed, and equal scores.
    """

    ours: dict[str, Any]
    peer: str
    model: str
    theirs: dict[str, Any]
    training: dict[str, Any] = field(default_factory=dict)
    reads_content: bool = False
    is_exact: bool = False


def _by_steps(epochs: int, learning_rate: float, loss: str, n_negatives: int) -> dict[str, Any]:
    return {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "loss": loss,
        "n_negatives": n_negatives,
        "negatives": "sampled",
        "schedule": "constant",
        "bias_start": "zero",
        "patience": 0,
    }


METHODS = {
    "ease": Method(
        {"name": "ease", "regularization": 300.0},
        "cornac",
        "EASE",
        {"lamb": 300.0, "posB": False},
        is_exact=True,
    ),
    "bpr-mf": Method(
        {"name": "bpr-mf", "dim": 16, "step_size": 0.02, "regularization": 0.01, "iterations": 60},
        "cornac",
        "BPR",
        {"k": 16, "learning_rate": 0.02, "lambda_reg": 0.01, "max_iter": 60},
    ),
    "vbpr": Method(
        {"name": "vbpr", "dim": 16, "init_std": 0.04, "feature_scaling": "none"},
        "cornac",
        "VBPR",
        {"k": 16, "k2": 16, "n_epochs": 15, "batch_size": PAIRS_PER_STEP, "learning_rate": 0.005}
        | dict.fromkeys(("lambda_w", "lambda_b", "lambda_e"), 0.0),
        _by_steps(15, 0.005, "bpr", 1),
        reads_content=True,
    ),
    "neumf": Method(
        {"name": "neumf", "dim": 8, "n_layers": 3, "item_bias": False, "init_std": 0.01, "pretrain": False},
        "cornac",
        "NeuMF",
        {"num_factors": 8, "layers": [64, 32, 16, 8], "num_epochs": 10, "batch_size": PAIRS_PER_STEP}
        | {"num_neg": 4, "lr": 0.002, "backend": "pytorch"},
        _by_steps(10, 0.002, "log", 4),
    ),
    "lightgcn": Method(
        {"name": "lightgcn", "dim": 64, "n_layers": 3, "init_std": 0.04},
        "recbole",
        "LightGCN",
        {"embedding_size": 64, "n_layers": 3, "reg_weight": 0.0, "epochs": 15, "learning_rate": 0.005}
        | {"train_batch_size": PAIRS_PER_STEP},
        _by_steps(15, 0.005, "bpr", 1),
    ),
}


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


def our_scorer(method: Method, world: World, seed: int) -> Scorer:
    """Fit our model."""
    n_users, n_items = world.split.train.shape
    present = torch.ones(n_items, dtype=torch.bool)
    content = ({"content": world.vectors}, {"content": present}) if method.reads_content else (None, None)
    model = build_model(ModelConfig(**method.ours), n_items, *content, seed=seed, n_users=n_users)
    if not isinstance(model, Trainable):
        return model.fit(world.split.train)
    users = max(1, round(PAIRS_PER_STEP * n_users / world.split.train.nnz))
    fit(model, world.split.train, TrainingConfig(**method.training, batch_users=users, seed=seed))
    return model


def their_scorer(method: Method, world: World, seed: int, python: Path, limit: float) -> Scorer:
    """Let the peer fit its model; what it does not know stands last."""
    users, items = world.split.train.nonzero()
    task = {
        "model": method.model,
        "options": method.theirs,
        "seed": seed,
        "shape": world.split.train.shape,
        "pairs": np.column_stack([users, items]),
        "features": world.vectors.numpy() if method.reads_content else None,
    }
    arrays = {name: task.pop(name) for name in ("pairs", "features")}
    scores = torch.from_numpy(scores_of(method.peer, python, task, arrays, limit))
    least = scores[~scores.isnan()].min() - 1
    return Given(torch.where(scores.isnan(), least, scores))


def timed(make: Callable[[], Scorer]) -> tuple[Scorer, float]:
    """Return what was made and the seconds it took."""
    started = time.perf_counter()
    made = make()
    return made, time.perf_counter() - started


def rows_of(
    name: str, method: Method, world: World, seeds: int, cache: Path, limit: float
) -> list[list[str]]:
    """Compare one method; returns rows of ours, theirs, and the difference."""
    python = python_of(method.peer, cache, limit)
    label = f"{method.peer} {version_of(method.peer, python)}"
    frames: dict[str, list[pl.DataFrame]] = {"irisrec": [], label: []}
    seconds: dict[str, float] = dict.fromkeys(frames, 0.0)
    for seed in range(1 if method.is_exact else seeds):
        ours, spent = timed(lambda seed=seed: our_scorer(method, world, seed))
        theirs, spent_there = timed(lambda seed=seed: their_scorer(method, world, seed, python, limit))
        for who, scorer, took in (("irisrec", ours, spent), (label, theirs, spent_there)):
            frames[who].append(world.frame(scorer))
            seconds[who] += took
        print(f"{name}, seed {seed}: {spent:.1f} s here, {spent_there:.1f} s there", file=sys.stderr)
    found = compare({who: average_over_seeds(some) for who, some in frames.items()})
    values = {(r["protocol"], r["metric"], r["run"]): r for r in found.iter_rows(named=True)}
    rows = []
    for who, some in frames.items():
        spread = spread_over_seeds(some)
        cells = [
            f"{values[(*key, who)]['mean']:.4f}" + (f" ± {spread[key]:.4f}" if key in spread else "")
            for key in SHOWN
        ]
        rows.append([name, who, *cells])
    apart = [values[(*key, label)] for key in SHOWN]
    cells = [
        f"{0.0 - row['difference']:+.4f} [{0.0 - row['difference_high']:+.4f}, {0.0 - row['difference_low']:+.4f}]"
        for row in apart
    ]
    return [*rows, ["", "difference", *(cell.replace("-", "−") for cell in cells)]]


def main() -> None:
    """Compare and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, help="only so many users, to try it out")
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds for one installation or one fit of a peer"
    )
    arguments = parser.parse_args()
    world, lost, rows = load(arguments.data, arguments.users), [], []
    for name in arguments.only:
        try:
            rows += rows_of(name, METHODS[name], world, arguments.seeds, cache_folder(), arguments.limit)
        except MissingPeerError as error:
            lost.append(f"{name}: {error}")
    header = ["method", "by", *(f"{metric.upper()}, {'all' if p == 'full' else '99'}" for p, metric in SHOWN)]
    print(f"{world.dataset}; {world.split}")
    print(
        f"Means over users and {arguments.seeds} seeds ± standard deviation over seeds; the difference is ours minus"
    )
    print("theirs with its 95 % bootstrap interval over users.\n")
    print(table(header, *rows))
    for sentence in lost:
        print(f"\nleft out: {sentence}")


if __name__ == "__main__":
    main()
