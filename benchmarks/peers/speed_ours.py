"""Time one of our models, or `implicit` itself, which is installed beside us.

    python speed_ours.py TASK.json

Keys of the task: ``pairs`` and ``held``, .npy files of (n, 2) rows of users and items for training and for judging,
``features``, a .npy file of vectors (N, F), ``shape``, ``model``, ``options``, ``epochs``. Prints JSON:

    epoch    seconds of an epoch, or of the whole fit where a model has no epochs
    timed    how much of an epoch was measured at least
    judge    seconds per user of HR@10 and NDCG@10, the held-out item ranked among all
    bulk     seconds per user of ten recommendations for everybody
    single   seconds of ten recommendations for one user, median
    peak     bytes
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy.sparse import csr_matrix
from timing import REQUESTS, timed

from irisrec.data.catalog import Catalog
from irisrec.data.split import Split
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.ids import IdMap
from irisrec.memory import keep_freed_memory, peak_memory
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.trainable import Trainable
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit


def main(task: dict[str, Any]) -> dict[str, float]:
    """Train, judge, recommend."""
    keep_freed_memory()
    train, held = (matrix(task, name) for name in ("pairs", "held"))
    measure = implicit if task["model"] == "implicit" else ours
    return {"timed": 1.0, **measure(task, train, held), "peak": float(peak_memory())}


def matrix(task: dict[str, Any], name: str) -> csr_matrix:
    """Read pairs as (users, items)."""
    pairs = np.load(task[name])
    return csr_matrix((np.ones(len(pairs), np.float32), pairs.T), shape=task["shape"])


def ours(task: dict[str, Any], train: csr_matrix, held: csr_matrix) -> dict[str, float]:
    """Measure one of our models."""
    n_users, n_items = train.shape
    vectors = {"image": torch.from_numpy(np.load(task["features"]))}
    present = {"image": torch.ones(n_items, dtype=torch.bool)}
    if task["model"] == "multimodal-iris":
        vectors, present = vectors | {"text": vectors["image"]}, present | {"text": present["image"]}
    config = ModelConfig(name=task["model"], **task["options"])
    model = build_model(config, n_items, vectors, present, n_users=n_users)
    epoch = epoch_of(model, train, task["epochs"])
    split = Split(train=train, validation=csr_matrix(train.shape, dtype=np.float32), test=held)
    judged = EvaluationConfig(cutoffs=(10,), n_sampled=0, lists=False, calibration=False)
    _, judging = timed(lambda: evaluate(model, split, judged))
    users = IdMap(list(range(n_users)), "user")
    catalog = Catalog.of(pl.DataFrame({"item_id": list(range(n_items))}))
    recommender = Recommender(model, catalog, KnownUsers.of_matrix(users, train))
    asked = range(0, n_users, max(1, n_users // REQUESTS))
    _, bulk = timed(
        lambda: sum(1 for _ in recommender.recommend_many(users=range(n_users), k=10, n_reasons=0))
    )
    single = [
        timed(lambda user=user: recommender.recommend(user, k=10, n_reasons=0))[1].seconds for user in asked
    ]
    return {
        "epoch": epoch,
        "judge": judging.seconds / n_users,
        "bulk": bulk.seconds / n_users,
        "single": statistics.median(single),
    }


def epoch_of(model: Scorer, train: csr_matrix, epochs: int) -> float:
    """Return the seconds of an epoch, the first left out, or of the fit of a model without epochs."""
    if not isinstance(model, Trainable):
        return timed(lambda: model.fit(train))[1].seconds
    # as a whole training would: so few epochs would not be compiled for, and the first one loads what is compiled
    config = TrainingConfig(epochs=epochs, batch_users=512, patience=0, fuse="on")
    return statistics.median(float(record["seconds"]) for record in fit(model, train, config).epochs[1:])


def implicit(task: dict[str, Any], train: csr_matrix, held: csr_matrix) -> dict[str, float]:
    """Measure the peer that our iALS is fitted by."""
    from implicit.als import AlternatingLeastSquares
    from implicit.evaluation import ranking_metrics_at_k

    model = AlternatingLeastSquares(**task["options"], random_state=0)
    n_users = train.shape[0]
    _, epoch = timed(lambda: model.fit(train, show_progress=False))
    _, judging = timed(lambda: ranking_metrics_at_k(model, train, held, K=10, show_progress=False))
    _, bulk = timed(lambda: model.recommend(np.arange(n_users), train, N=10))
    asked = range(0, n_users, max(1, n_users // REQUESTS))
    single = [timed(lambda user=user: model.recommend(user, train[user], N=10))[1].seconds for user in asked]
    return {
        "epoch": epoch.seconds,
        "judge": judging.seconds / n_users,
        "bulk": bulk.seconds / n_users,
        "single": statistics.median(single),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
