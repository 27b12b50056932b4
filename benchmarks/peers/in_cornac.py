"""Fit a model of Cornac and write its scores; runs in Cornac's own environment and knows nothing of irisrec.

    python in_cornac.py TASK.json       keys: model, options, seed, pairs, features, shape, scores, took

``pairs`` is a file of (n, 2) rows of users and items, ``features`` of (N, F) vectors, ``scores`` the file to write:
(n_users, N), NaN for what Cornac does not know because nobody had it in training. ``took`` is the file for how long
training took, from interactions in memory to a fitted model.
"""

import json
import sys
from pathlib import Path

import cornac
import numpy as np
import torch  # noqa: F401 -- models import it when they are fitted, which is no part of training
from cornac.data import Dataset, ImageModality
from timing import timed


def main(task: dict) -> None:
    """Fit and score."""
    pairs = np.load(task["pairs"])
    rows = [(str(u), str(i), 1.0) for u, i in pairs]
    train = Dataset.from_uir(rows, seed=task["seed"])
    if task["features"]:
        values = np.load(task["features"]).astype(np.float32)
        ids = [str(i) for i in range(len(values))]
        train.add_modalities(item_image=ImageModality(features=values, ids=ids).build(id_map=train.iid_map))
    model = getattr(cornac.models, task["model"])(seed=task["seed"], verbose=False, **task["options"])
    _, took = timed(lambda: model.fit(train))
    scores = np.full(task["shape"], np.nan, dtype=np.float32)
    items = np.array([int(item) for item in train.iid_map])
    for user, row in train.uid_map.items():
        known = model.score(row)
        scores[int(user), items] = np.asarray(known)[: len(items)]
    np.save(task["scores"], scores)
    Path(task["took"]).write_text(json.dumps(took._asdict()))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
