"""Time a model of RecBole; runs in RecBole's own environment and knows nothing of irisrec.

python speed_recbole.py TASK.json      keys and answer as of speed_ours.py; trains for ``seconds`` at most
"""

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from recbole_data import World, prepared  # first: it mends what RecBole needs

# isort: split
from recbole.utils import get_trainer
from recbole.utils.case_study import full_sort_topk

REQUESTS = 50


def main(task: dict, folder: Path) -> dict:
    """Train for a while, judge, recommend."""
    world = prepared(task, folder)
    model, built = timed(lambda: world.build(task["model"]))
    steps = (
        train(world, model, task["seconds"]) if task["model"] != "EASE" else []
    )  # fitted where it is built
    model.eval()
    trainer = get_trainer(world.config["MODEL_TYPE"], task["model"])(world.config, model)
    _, judging = timed(lambda: trainer.evaluate(world.test, load_best_model=False))
    users = np.unique(world.test.uid_list.numpy())
    _, bulk = timed(
        lambda: [full_sort_topk(some, model, world.test, 10) for some in np.array_split(users, 4)]
    )
    single = [
        timed(lambda user=user: full_sort_topk(np.array([user]), model, world.test, 10))[1]
        for user in users[:REQUESTS]
    ]
    return {
        "epoch": statistics.median(steps) * len(world.train) if steps else built,
        "timed": len(steps) / len(world.train) if steps else 1.0,
        "judge": judging / len(users),
        "bulk": bulk / len(users),
        "single": statistics.median(single),
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def train(world: World, model: Any, seconds: float) -> list[float]:
    """Return the seconds of steps, the first one left out, for it warms up."""
    import torch

    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    steps, begun = [], time.perf_counter()
    for batch in world.train:
        started = time.perf_counter()
        optimizer.zero_grad()
        model.calculate_loss(batch).backward()
        optimizer.step()
        steps.append(time.perf_counter() - started)
        if len(steps) > 3 and time.perf_counter() - begun > seconds:
            break
    return steps[1:]


def timed(make: Callable[[], Any]) -> tuple[Any, float]:
    """Return what was made and the seconds it took."""
    started = time.perf_counter()
    made = make()
    return made, time.perf_counter() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), Path(where))))
