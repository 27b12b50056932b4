"""Time Cornac's VBPR; runs in Cornac's own environment and knows nothing of irisrec.

python speed_cornac.py TASK.json      keys and answer as of speed_ours.py
"""

import json
import statistics
import sys
from pathlib import Path

import numpy as np
import torch  # noqa: F401 -- VBPR imports it when it is fitted, which is no part of an epoch
from cornac.data import Dataset, ImageModality
from cornac.eval_methods.base_method import ranking_eval
from cornac.metrics import NDCG, HitRatio
from cornac.models import VBPR
from timing import REQUESTS, peak_bytes, timed


def main(task: dict) -> dict:
    """Train an epoch, judge, recommend."""
    pairs, held = np.load(task["pairs"]), np.load(task["held"])
    data = Dataset.from_uir([(int(u), int(i), 1.0) for u, i in pairs])
    test = Dataset.build(
        [(int(u), int(i), 1.0) for u, i in held],
        global_uid_map=data.uid_map,
        global_iid_map=data.iid_map,
        exclude_unknowns=True,
    )
    features = np.load(task["features"])[[int(item) for item in data.item_ids]]
    data.add_modalities(item_image=ImageModality(features=features, normalized=True))
    data.item_image.build(id_map=data.iid_map)
    model = VBPR(**task["options"], n_epochs=1, batch_size=2048, verbose=False)
    _, epoch = timed(lambda: model.fit(data))
    metrics = [HitRatio(k=10), NDCG(k=10)]
    _, judging = timed(lambda: ranking_eval(model, metrics, data, test, verbose=False))
    users = [int(user) for user in held[:, 0] if int(user) in data.uid_map]
    single = [
        timed(lambda user=user: model.recommend(user, k=10, remove_seen=True, train_set=data))[1].seconds
        for user in users
    ]
    return {
        "epoch": epoch.seconds,
        "timed": 1.0,
        "judge": judging.seconds / len(users),
        "bulk": sum(single) / len(single),  # one user after the other is all it has
        "single": statistics.median(single[:REQUESTS]),
        "peak": peak_bytes(),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
