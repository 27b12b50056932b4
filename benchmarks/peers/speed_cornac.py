"""Time Cornac's VBPR; runs in Cornac's own environment and knows nothing of irisrec.

python speed_cornac.py TASK.json      keys as of speed_recbole.py, and ``features``, a .npy file of vectors (N, F)
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from cornac.data import Dataset, ImageModality
from cornac.models import VBPR


def main(task: dict) -> dict:
    pairs = np.load(task["pairs"])
    data = Dataset.from_uir([(int(u), int(i), 1.0) for u, i in pairs])
    features = np.load(task["features"])[[int(item) for item in data.item_ids]]
    data.add_modalities(item_image=ImageModality(features=features, normalized=True))
    data.item_image.build(id_map=data.iid_map)
    model = VBPR(k=task["options"]["k"], k2=task["options"]["k"], n_epochs=1, batch_size=2048, verbose=False)
    started = time.perf_counter()
    model.fit(data)
    seconds, ranks = time.perf_counter() - started, []
    for user in range(task["users"]):
        started = time.perf_counter()
        np.argpartition(-model.score(user), 10)[:10]
        ranks.append(time.perf_counter() - started)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"step": seconds, "steps": 1, "timed": 1, "rank": statistics.median(ranks), "peak": peak}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
