"""Time a model of RecBole step by step; runs in RecBole's own environment and knows nothing of irisrec.

python speed_recbole.py TASK.json

Keys: ``pairs`` (a .npy file of user and item rows), ``model``, ``options``, ``seconds`` to train for at most,
``users`` to rank. Prints JSON: seconds of a step, steps of an epoch, seconds to rank a user, peak bytes.
"""

import json
import logging
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

np.float = float  # RecBole 1.2 asks for what NumPy has dropped

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.data.interaction import Interaction  # noqa: E402
from recbole.utils import get_model, init_seed  # noqa: E402

NAME = "pairs"


def main(task: dict, folder: Path) -> dict:
    import torch

    pairs = np.load(task["pairs"])
    (folder / NAME).mkdir()
    lines = ["user_id:token\titem_id:token", *(f"{u}\t{i}" for u, i in pairs)]
    (folder / NAME / f"{NAME}.inter").write_text("\n".join(lines) + "\n")
    settings = {
        "data_path": str(folder),
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "group_by": None, "mode": "full"},
        "use_gpu": False,
        "state": "WARNING",
        **task["options"],
    }
    sys.argv = sys.argv[:1]  # RecBole reads the command line too
    logging.disable(logging.INFO)
    config = Config(model=task["model"], dataset=NAME, config_dict=settings)
    init_seed(0, True)
    data = create_dataset(config)
    train, _, _ = data_preparation(config, data)
    started = time.perf_counter()
    model = get_model(task["model"])(config, train._dataset).to(config["device"])
    built = time.perf_counter() - started
    steps, begun = [], time.perf_counter()
    weights = [p for p in model.parameters() if p.requires_grad]
    if task["model"] != "EASE":  # fitted where it is built
        optimizer = torch.optim.Adam(weights, lr=1e-3)
        for batch in train:
            started = time.perf_counter()
            optimizer.zero_grad()
            model.calculate_loss(batch).backward()
            optimizer.step()
            steps.append(time.perf_counter() - started)
            if len(steps) > 3 and time.perf_counter() - begun > task["seconds"]:
                break
        steps = steps[1:]  # the first one warms up
    model.eval()
    ranks = []
    with torch.no_grad():
        for user in range(1, 1 + min(task["users"], data.num("user_id") - 1)):
            started = time.perf_counter()
            model.full_sort_predict(Interaction({"user_id": torch.tensor([user])})).view(-1).topk(10)
            ranks.append(time.perf_counter() - started)
    return {
        "step": statistics.median(steps) if steps else built,
        "steps": len(train) if steps else 1,
        "timed": len(steps),
        "rank": statistics.median(ranks),
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), Path(where))))
