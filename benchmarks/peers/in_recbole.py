"""Fit a model of RecBole and write its scores; runs in RecBole's own environment and knows nothing of irisrec.

python in_recbole.py TASK.json      keys as of in_cornac.py
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole_data import World, prepared  # first: it mends what RecBole needs

# isort: split
from recbole.data.interaction import Interaction
from timing import timed


def main(task: dict, folder: Path) -> None:
    """Fit and score."""
    world = prepared(task, folder)
    model, took = timed(lambda: fitted(world, task["model"], task["cpu_seconds"]))
    model.eval()
    data = world.data
    known = {
        field: data.id2token(field, np.arange(1, data.num(field))).astype(int)
        for field in ("user_id", "item_id")
    }
    with torch.no_grad():
        users = torch.arange(1, data.num("user_id"))
        found = model.full_sort_predict(Interaction({"user_id": users})).view(len(users), -1)[:, 1:]
    scores = np.full(task["shape"], np.nan, dtype=np.float32)
    scores[np.ix_(known["user_id"], known["item_id"])] = found.numpy()
    np.save(task["scores"], scores)
    Path(task["took"]).write_text(json.dumps(took._asdict()))


def fitted(world: World, name: str, cpu_seconds: float) -> Any:
    """Build a model and train it, for so many seconds of the processors at most, or as long as it is told if 0."""
    stop, model = time.process_time() + cpu_seconds, world.build(name)
    if not cpu_seconds:
        world.trainer(model).fit(world.train, saved=False)
        return model
    n_steps = 0
    for _ in world.steps(model, world.config["epochs"]):
        n_steps += 1
        if time.process_time() > stop:
            break
    print(f"{n_steps / len(world.train):.2f} epochs")
    return model


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        main(json.loads(Path(sys.argv[1]).read_text()), Path(where))
