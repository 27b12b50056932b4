"""What is measured: methods here and at peers on one synthetic data set, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zipf

from irisrec.files import read_json, write_json

HERE = Path(__file__).parent
DIM, K = 64, 4
NEGATIVES = {"train_neg_sample_args": {"distribution": "uniform", "sample_num": K}, "train_batch_size": 2048}


@dataclass(frozen=True)
class Method:
    """A model on one side.

    Attributes:
        peer: whose environment it runs in; empty for ours.
        model: its name there.
        options: of the model there.
        beside: of ours, which it is compared with; empty for ours.
        users: for whom it judges and recommends, so that it ends; everybody where it is 0.
    """

    peer: str
    model: str
    options: dict[str, Any]
    beside: str = ""
    users: int = 0


METHODS = {
    "FISM": Method("", "fism", {"dim": DIM}),
    "NAIS": Method("", "nais", {"dim": DIM}),
    "Multimodal IRIS": Method("", "multimodal-iris", {"dim": DIM}),
    "EASE": Method("", "ease", {"regularization": 500.0}),
    "VBPR": Method("", "vbpr", {"dim": DIM, "modalities": ("image",)}),
    "iALS": Method("", "ials", {"dim": DIM, "iterations": 15}),
    "RecBole FISM": Method("recbole", "FISM", {"embedding_size": DIM, **NEGATIVES}, "FISM", 100),
    "RecBole NAIS": Method(
        "recbole", "NAIS", {"embedding_size": DIM, "weight_size": DIM, **NEGATIVES}, "NAIS", 20
    ),
    "RecBole EASE": Method("recbole", "EASE", {"reg_weight": 500.0, "train_neg_sample_args": None}, "EASE"),
    "Cornac VBPR": Method("cornac", "VBPR", {"k": DIM, "k2": DIM}, "VBPR", 300),
    "implicit iALS": Method("", "implicit", {"factors": DIM, "iterations": 15}, "iALS"),
}


def prepare(out: Path, scale: float) -> dict[str, Any]:
    """Write the data of all measurements; one random pair of each user is held out. Returns what tasks share."""
    folder = out / f"data-{scale:g}"
    folder.mkdir(parents=True, exist_ok=True)
    n_users, n_items = int(6040 * scale), int(3685 * scale)
    paths = {name: str(folder / f"{name}.npy") for name in ("pairs", "held", "features")}
    if not (folder / "done").exists():
        had = zipf.interactions(n_users, n_items, int(999_626 * scale**2)).tocoo()
        pairs = np.stack([had.row, had.col], 1)
        order = np.random.default_rng(0).permutation(len(pairs))
        _, first = np.unique(pairs[order, 0], return_index=True)  # one of each user, at random
        held = np.sort(order[first])
        np.save(paths["held"], pairs[held])
        np.save(paths["pairs"], np.delete(pairs, held, axis=0))
        np.save(paths["features"], zipf.features(n_items)[0]["image"].numpy())
        (folder / "done").touch()
    return {**paths, "shape": (n_users, n_items), "epochs": 3, "seed": 0}


@dataclass(frozen=True)
class Measurement:
    """One method in one round."""

    name: str
    number: int
    scale: float
    seconds: float

    @property
    def peer(self) -> str:
        """Whose environment it runs in; empty for this one."""
        return METHODS[self.name].peer

    def path(self, out: Path) -> Path:
        """Where it is kept."""
        name = self.name.lower().replace(" ", "-")
        return out / f"{name}-{self.number}-scale{self.scale:g}-{self.seconds:g}s.json"

    def find(self, out: Path) -> dict[str, float] | None:
        """Return what was measured, None where it was not."""
        path = self.path(out)
        return dict(read_json(path)) if path.exists() else None

    def make(self, out: Path, task: dict[str, Any], python: Path, limit: float) -> dict[str, float]:
        """Measure, and keep it."""
        method = METHODS[self.name]
        told = {**task, "model": method.model, "options": method.options, "seconds": self.seconds}
        environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH" or not method.peer}
        script = HERE / f"speed_{method.peer or 'ours'}.py"
        with tempfile.TemporaryDirectory() as folder:
            if method.users:
                held = np.load(task["held"])
                told["held"] = str(Path(folder) / "some.npy")
                np.save(told["held"], held[:: max(1, len(held) // method.users)])
            file = Path(folder) / "task.json"
            file.write_text(json.dumps(told))
            command = [str(python), str(script), str(file)]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=limit, env=environment, cwd=folder
            )
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or "no word").splitlines()[-1])
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        write_json(self.path(out), found)
        return found
