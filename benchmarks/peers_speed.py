"""How fast the same models are here and at RecBole, Cornac and implicit: side by side, same data, same machine.

    python benchmarks/peers_speed.py                          MovieLens-1M's shape, everybody, three rounds
    python benchmarks/peers_speed.py --scale 0.2 --rounds 1   a fifth of its users and items

Each method runs in a process of its own, one after the other, round after round, so that a disturbance meets all. A
peer trains for a limited time, and an epoch is extrapolated from the median step; its ranking of all users from that of
some. Ours train whole epochs. The table gives medians over the rounds and, as spread, the largest divided by the least.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import zipf

from irisrec.files import cache_folder

HERE = Path(__file__).parent
K, DIM = 4, 64
NEGATIVES = {"train_neg_sample_args": {"distribution": "uniform", "sample_num": K}, "train_batch_size": 2048}
OURS = ("fism", "nais", "multimodal-iris", "ease", "vbpr", "ials")
PEERS: dict[
    str, tuple[str, str, dict[str, Any], str]
] = {  # peer, its model, its options, ours to compare with
    "RecBole FISM": ("recbole", "FISM", {"embedding_size": DIM, **NEGATIVES}, "fism"),
    "RecBole NAIS": ("recbole", "NAIS", {"embedding_size": DIM, "weight_size": DIM, **NEGATIVES}, "nais"),
    "RecBole EASE": ("recbole", "EASE", {"reg_weight": 500.0, "train_neg_sample_args": None}, "ease"),
    "Cornac VBPR": ("cornac", "VBPR", {"k": DIM}, "vbpr"),
    "implicit iALS": ("here", "ials", {}, "ials"),
}


def ours(name: str, task: dict[str, Any]) -> dict[str, float]:
    """Measure one of our models, or implicit's own, in this process."""
    from scipy.sparse import csr_matrix

    from irisrec.memory import keep_freed_memory, peak_memory
    from irisrec.models.config import ModelConfig
    from irisrec.models.factory import build_model
    from irisrec.models.histories import Histories
    from irisrec.training.config import TrainingConfig
    from irisrec.training.loop import fit

    keep_freed_memory()
    pairs = np.load(task["pairs"])
    n_users, n_items = task["shape"]
    train = csr_matrix((np.ones(len(pairs), np.float32), pairs.T), shape=(n_users, n_items))
    if name == "implicit":
        return implicit(train, task["users"], peak_memory)
    model = build_model(ModelConfig(name=name, dim=DIM) if name != "ease" else ModelConfig(name=name), n_items,
                        *zipf.features(n_items), n_users=n_users)  # fmt: skip
    started, epoch = time.perf_counter(), 0.0
    if model.needs_gradient_training:
        # as a whole training would: so few epochs would not be compiled for, and the first one loads what is compiled
        config = TrainingConfig(epochs=task["epochs"], batch_users=512, n_negatives=K, patience=0, fuse="on")
        epoch = statistics.median(float(e["seconds"]) for e in fit(model, train, config).epochs[1:])
    else:
        model.fit(train)
        epoch = time.perf_counter() - started
    started = time.perf_counter()
    for scores in model.rank_scores(Histories.from_matrix(train)):
        scores.topk(10)
    rank = (time.perf_counter() - started) / n_users
    return {"step": epoch, "steps": 1, "timed": 1, "rank": rank, "peak": peak_memory()}


def implicit(train: Any, n_users: int, peak_memory: Any) -> dict[str, float]:
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=DIM, iterations=15, random_state=0)
    started = time.perf_counter()
    model.fit(train, show_progress=False)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    model.recommend(np.arange(train.shape[0]), train, N=10)
    rank = (time.perf_counter() - started) / train.shape[0]
    return {"step": seconds, "steps": 1, "timed": 1, "rank": rank, "peak": peak_memory()}


def measured(name: str, task: dict[str, Any], python: Path, script: str) -> dict[str, float]:
    """Run a script in its own process on a task."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        command = [str(python), script, file.name] + (["--own", name] if script == __file__ else [])
        done = subprocess.run(command, capture_output=True, text=True, timeout=task["limit"])
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "no word").splitlines()[-1])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rows(options: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, float]]]:
    from peers.environments import MissingPeerError, python_of

    n_users, n_items = int(6040 * options.scale), int(3685 * options.scale)
    train = zipf.interactions(n_users, n_items, int(999_626 * options.scale**2)).tocoo()
    np.save(folder / "pairs.npy", np.stack([train.row, train.col], 1))
    np.save(folder / "features.npy", zipf.features(n_items)[0]["image"].numpy())
    task = {
        "pairs": str(folder / "pairs.npy"),
        "features": str(folder / "features.npy"),
        "shape": (n_users, n_items),
        "seconds": options.seconds,
        "users": 50,
        "epochs": 4,
        "limit": options.limit,
    }
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for name in (*OURS, *PEERS):
            if options.only and name not in options.only:
                continue
            try:
                if name in PEERS and PEERS[name][0] != "here":
                    peer, model, settings, _ = PEERS[name]
                    python = python_of(peer, cache_folder(), options.limit)
                    script = str(HERE / "peers" / f"speed_{peer}.py")
                    result = measured(name, {**task, "model": model, "options": settings}, python, script)
                else:
                    own = "implicit" if name in PEERS else name
                    result = measured(own, task, Path(sys.executable), __file__)
                found.setdefault(name, []).append(result)
                print(f"  {name}: {result}", file=sys.stderr)
            except (MissingPeerError, RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"{name} is left out: {error}")
    return found


def show(found: dict[str, list[dict[str, float]]], n_users: int) -> None:
    epochs = {name: [r["step"] * r["steps"] for r in results] for name, results in found.items()}
    ranks = {name: [r["rank"] * n_users for r in results] for name, results in found.items()}
    heads = ("s per epoch", "spread", "of steps", "rank all, s", "peak MB", "epoch, ours", "ranking, ours")
    print(f"{'method':18}" + "".join(f"{head:>14}" for head in heads))
    for name, results in found.items():
        own = PEERS[name][3] if name in PEERS else ""
        ratios = ["", ""]
        if own in found:
            pairs = ((epochs[name], epochs[own]), (ranks[name], ranks[own]))
            ratios = [
                f"{statistics.median(theirs) / statistics.median(mine):,.1f} x" for theirs, mine in pairs
            ]
        cells = (
            f"{statistics.median(epochs[name]):,.2f}",
            f"{max(epochs[name]) / min(epochs[name]):.2f}",
            f"{results[0]['timed']:,.0f}/{results[0]['steps']:,.0f}",
            f"{statistics.median(ranks[name]):,.2f}",
            f"{max(r['peak'] for r in results) / 1e6:,.0f}",
            *ratios,
        )
        print(f"{name:18}" + "".join(f"{cell:>14}" for cell in cells))
    print("EASE and iALS have no epochs: the whole fit is given.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--own", help=argparse.SUPPRESS)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of users and items; interactions go with its square"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=60, help="that a peer trains for at most, a step at least"
    )
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which a method is left out")
    parser.add_argument("--only", nargs="+", choices=[*OURS, *PEERS])
    options = parser.parse_args()
    if options.own:
        print(json.dumps(ours(options.own, json.loads(options.task.read_text()))))
        return
    with tempfile.TemporaryDirectory() as folder:
        show(rows(options, Path(folder)), int(6040 * options.scale))


if __name__ == "__main__":
    main()
