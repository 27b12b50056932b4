"""Time a model of RecBole; runs in RecBole's own environment and knows nothing of irisrec.

python speed_recbole.py TASK.json      keys and answer as of speed_ours.py; trains for ``seconds`` at most
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from recbole_data import World, prepared  # first: it mends what RecBole needs

# isort: split
from recbole.utils.case_study import full_sort_topk
from timing import REQUESTS, peak_bytes, timed


def main(task: dict, folder: Path) -> dict:
    """Train for a while, judge, recommend."""
    world = prepared(task, folder)
    model, built = timed(lambda: world.build(task["model"]))
    steps = (
        train(world, model, task["seconds"]) if task["model"] != "EASE" else []
    )  # fitted where it is built
    model.eval()
    trainer = world.trainer(model)
    _, judging = timed(lambda: trainer.evaluate(world.test, load_best_model=False))
    users = np.unique(world.test.uid_list.numpy())
    _, bulk = timed(
        lambda: [full_sort_topk(some, model, world.test, 10) for some in np.array_split(users, 4)]
    )
    single = [
        timed(lambda user=user: full_sort_topk(np.array([user]), model, world.test, 10))[1].seconds
        for user in users[:REQUESTS]
    ]
    return {
        "epoch": statistics.median(steps) * len(world.train) if steps else built.seconds,
        "timed": len(steps) / len(world.train) if steps else 1.0,
        "judge": judging.seconds / len(users),
        "bulk": bulk.seconds / len(users),
        "single": statistics.median(single),
        "peak": peak_bytes(),
    }


def train(world: World, model: Any, seconds: float) -> list[float]:
    """Return the seconds of steps, the first one left out, for it warms up."""
    steps, begun = [], time.perf_counter()
    for step in world.steps(model, epochs=1):
        steps.append(step)
        if len(steps) > 3 and time.perf_counter() - begun > seconds:
            break
    return steps[1:]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), Path(where))))
