"""Training, ranking and retrieval from thousands of items to a million, on synthetic Zipf data.

    python benchmarks/scaling.py                          all sizes, each in a process of its own
    python benchmarks/scaling.py --items 3685 --steps 4   one size, few steps
    python benchmarks/scaling.py --items 100000 --interactions 100000000   100 interactions a user, which stay on disk

A size trains for some steps, from which an epoch is extrapolated; then users are ranked exactly and by retrieval. The
recall of retrieval is measured on factors and an attention that were set and not trained (`structured`), for weights
after so few steps say little about it: items of one taste lie together, and logits have the given deviation.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import zipf
from scipy.sparse import csr_matrix

from irisrec.budget import memory_budget
from irisrec.memory import forget_peak, keep_freed_memory, peak_memory
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.prepared import PreparedItemSimilarity
from irisrec.recommendation.retrieval import Retriever
from irisrec.recommendation.rule_tables import RuleTables
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit


def structured(model: ItemSimilarity, popularity: np.ndarray, deviation: float) -> None:
    """Set factors near their taste's, biases to log popularity, and the attention's scale."""
    generator = torch.Generator().manual_seed(0)
    n, dim = model.history_factors.shape
    tastes = torch.randn(zipf.N_TASTES, dim, generator=generator) * (1.5 / dim**0.5)
    with torch.no_grad():
        for factors in (model.history_factors, model.candidate_factors):
            factors.copy_(tastes[torch.arange(n) % zipf.N_TASTES])
            factors.add_(torch.randn(n, dim, generator=generator), alpha=0.8 / dim**0.5)
        model.bias.copy_(torch.from_numpy(np.log1p(popularity)) - 6)
        some = torch.randperm(n, generator=generator)[:300].sort().values
        model.attention.output.mul_(deviation / model.pair_block(some, some).logits.std())


def measure(options: argparse.Namespace) -> dict[str, float]:
    n_items, n = options.items[0], options.interactions
    if n is None:
        return measure_on(zipf.interactions(*in_order(n_items)), options)
    with tempfile.TemporaryDirectory() as folder:
        return measure_on(zipf.on_disk(Path(folder), n // 100, n_items, n), options)


def in_order(n_items: int) -> tuple[int, int, int]:
    n_users, n = zipf.SIZES.get(n_items, (n_items, 10 * n_items))
    return n_users, n_items, n


def measure_on(train: csr_matrix, options: argparse.Namespace) -> dict[str, float]:
    keep_freed_memory()
    forget_peak()
    n_users, n_items = train.shape
    values, present = zipf.features(n_items)
    config = ModelConfig(
        name=options.model, dim=options.dim, **({"hidden": 64} if "iris" in options.model else {})
    )
    model = build_model(config, n_items, values, present)
    per_epoch = math.ceil(n_users / options.batch_users)
    n_steps = min(options.steps, per_epoch)
    rng = np.random.default_rng(1)
    some = train[rng.choice(n_users, min(n_users, n_steps * options.batch_users), replace=False)]
    every = TrainingConfig(
        batch_users=options.batch_users, n_shared=options.n_shared, epochs=2, bias_start="zero"
    )
    chosen = kind_of(model, train, every)
    epochs = fit(model, some, every.model_copy(update={"negatives": chosen, "fuse": options.fuse})).epochs
    result: dict[str, float] = {
        "items": n_items,
        "users": n_users,
        "interactions": train.nnz,
        "shared": chosen == "shared",
        "steps": n_steps,
        "steps_per_epoch": per_epoch,
        "seconds_per_epoch": float(epochs[-1]["seconds"]) * per_epoch / n_steps,  # the first one compiles
        "training_peak": peak_memory(),
    }
    structured(model, np.bincount(train.indices, minlength=n_items), options.deviation)
    scorer = PreparedItemSimilarity(model, 0)
    rules = RuleTables(np.ones(n_items, bool), True, None, None, (), None)
    users = rng.choice(np.flatnonzero(np.diff(train.indptr) > 2), options.users, replace=False)
    exact, found, shared = [], [], []
    for user in users:
        history = Histories.from_matrix(train, np.array([user]))
        started = time.perf_counter()
        scores = scorer.score(history).numpy()
        seen = (history.owners.numpy(), history.items.numpy())
        best = rules.choose(scores, np.arange(n_items), seen, 10)[0]
        exact.append(time.perf_counter() - started)
        started = time.perf_counter()
        items = Retriever(scorer).choose(history, rules, 10)[0][0]
        found.append(time.perf_counter() - started)
        shared.append(len({*items.tolist()} & {*best.tolist()}) / 10)
    return result | {
        "exact_ms": 1e3 * statistics.median(exact),
        "retrieval_ms": 1e3 * statistics.median(found),
        "recall": statistics.mean(shared),
        "peak": peak_memory(),
    }


def kind_of(model: ItemSimilarity, train: object, config: TrainingConfig) -> str:
    """Return the negatives that training on all users would choose."""
    from irisrec.training.steps import Step

    return Step(model, train, config, torch.ones(0)).negatives


def in_own_process(n_items: int, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--json"]
    for name, value in (vars(options) | {"items": n_items}).items():
        if value is not None and name != "json":
            command += [f"--{name.replace('_', '-')}", str(value)]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(json.loads(out.splitlines()[-1]))


def growth(results: list[dict[str, float]], name: str) -> str:
    """Return the exponent of the power of N that fits best, by least squares of the logarithms."""
    logs = np.log([[r["items"], r[name]] for r in results])
    return f"{np.polyfit(*logs.T, 1)[0]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=list(zipf.SIZES))
    parser.add_argument(
        "--interactions", type=int, help="so many, of users with a hundred each, kept on disk"
    )
    parser.add_argument("--model", default="multimodal-iris")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--batch-users", type=int, default=512)
    parser.add_argument("--n-shared", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=20, help="at most so many steps of each of two epochs")
    parser.add_argument("--users", type=int, default=20, help="who are ranked one by one")
    parser.add_argument("--deviation", type=float, default=1.5, help="of the attention's logits in ranking")
    parser.add_argument("--fuse", default="on", choices=["auto", "on", "off"])
    parser.add_argument("--memory-budget", help="such as 8GB")
    parser.add_argument("--json", action="store_true", help="measure here, and print as JSON")
    options = parser.parse_args()
    if options.json:
        with memory_budget(options.memory_budget):
            print(json.dumps(measure(options)))
        return
    print(f"{options.model}, dim {options.dim}, {torch.get_num_threads()} threads")
    print(f"{'items':>10}{'users':>9}{'interactions':>14}  {'negatives':10}{'s per epoch':>12}{'of steps':>12}"
          f"{'peak MB':>9}{'exact ms':>10}{'retrieval ms':>14}{'recall@10':>11}")  # fmt: skip
    results = []
    for n_items in options.items:
        r = in_own_process(n_items, options)
        results.append(r)
        kind = "shared" if r["shared"] else "all"
        steps = f"{r['steps']:.0f}/{r['steps_per_epoch']:.0f}"
        print(f"{r['items']:10,.0f}{r['users']:9,.0f}{r['interactions']:14,.0f}  {kind:10}"
              f"{r['seconds_per_epoch']:12.1f}{steps:>12}{r['peak'] / 1e6:9,.0f}{r['exact_ms']:10.1f}"
              f"{r['retrieval_ms']:14.1f}{r['recall']:11.3f}", flush=True)  # fmt: skip
    if len(results) > 1:
        names = ("seconds_per_epoch", "peak", "exact_ms", "retrieval_ms")
        print(
            "grows with items to the power of: "
            + ", ".join(f"{name} {growth(results, name)}" for name in names)
        )


if __name__ == "__main__":
    main()
