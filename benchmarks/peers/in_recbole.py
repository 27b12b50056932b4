"""Fit a model of RecBole and write its scores; runs in RecBole's own environment and knows nothing of irisrec.

python in_recbole.py TASK.json      keys as of in_cornac.py
"""

import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np

np.float = float  # RecBole 1.2 asks for what NumPy has dropped

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.data.interaction import Interaction  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

NAME = "pairs"


def main(task: dict, folder: Path) -> None:
    """Fit and score."""
    import torch

    pairs = np.load(task["pairs"])
    (folder / NAME).mkdir()
    lines = ["user_id:token\titem_id:token", *(f"{u}\t{i}" for u, i in pairs)]
    (folder / NAME / f"{NAME}.inter").write_text("\n".join(lines) + "\n")
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "group_by": None, "mode": "full"},
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
    train, _, _ = data_preparation(config, data)
    init_seed(task["seed"], True)
    model = get_model(task["model"])(config, train._dataset).to(config["device"])
    get_trainer(config["MODEL_TYPE"], task["model"])(config, model).fit(train, saved=False)
    model.eval()
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        main(json.loads(Path(sys.argv[1]).read_text()), Path(where))
