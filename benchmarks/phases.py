"""Time of each phase of training and ranking, and how far it is from what this machine could do at best.

    python benchmarks/phases.py            MovieLens-1M's shape: 6,040 users, 3,685 items, 999,626 interactions
    python benchmarks/phases.py --scale 0.25

The best possible time of a phase is the larger of two: its floating-point operations at the measured rate of a matrix
product, and the bytes it has to move at the measured rate of a copy. docs/performance.md derives both. Where the
processor multiplies bfloat16 numbers, phases and epochs with `training.precision = "bfloat16"` stand beside.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import zipf

from irisrec.memory import forget_peak, keep_freed_memory, peak_memory
from irisrec.models.attended import attended_scores
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories, bag_sum
from irisrec.models.pair_block import PairBlock, same_items
from irisrec.models.pair_kernel import fused, pair_logits
from irisrec.models.products import rounding
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit
from irisrec.training.losses import log_loss
from irisrec.training.negatives import expected_counts
from irisrec.training.precision import Precision, precision_of


@dataclass(frozen=True)
class Machine:
    """Measured rates: multiply-adds count as two operations."""

    flops: float
    bandwidth: float

    @classmethod
    def measure(cls) -> Machine:
        a = torch.randn(2048, 2048)
        source, target = torch.randn(1 << 26), torch.empty(1 << 26)
        flops = 2 * 2048**3 / timed(lambda: a @ a, 5)
        return cls(flops, 8 * source.numel() / timed(lambda: target.copy_(source), 5))

    def best(self, instructions: float, moved: float) -> float:
        """Seconds for so many additions, maxima, comparisons, products or multiply-adds, and bytes."""
        return max(instructions / (self.flops / 2), moved / self.bandwidth)


def timed(work: Callable[[], Any], rounds: int) -> float:
    """Return the least seconds of a number of rounds after one to warm up: what else runs only adds to them."""
    return least([work], rounds)[0]


def least(works: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Return the same of several pieces of work, done in turn."""
    seconds = [math.inf] * len(works)
    for round_ in range(rounds + 1):
        for i, work in enumerate(works):
            started = time.perf_counter()
            work()
            if round_:
                seconds[i] = min(seconds[i], time.perf_counter() - started)
    return seconds


def backward(outputs: torch.Tensor, inputs: list[torch.Tensor]) -> Callable[[], Any]:
    gradient = torch.randn_like(outputs)
    return lambda: torch.autograd.grad(outputs, inputs, gradient, retain_graph=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of users and items; interactions go with its square"
    )
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--batch-users", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    n_users, N, D, B = int(6040 * options.scale), int(3685 * options.scale), options.dim, options.batch_users
    B = min(B, n_users)
    train = zipf.interactions(n_users, N, int(999_626 * options.scale**2))
    histories = Histories.from_matrix(train, torch.randperm(n_users)[:B].numpy())
    rows, local = histories.localized()
    R, nnz = len(rows), len(local.items)
    n_steps = -(-n_users // B)
    machine = Machine.measure()
    print(f"{torch.get_num_threads()} threads, {machine.flops / 1e9:.0f} GFLOP/s in a matrix product, "
          f"{machine.bandwidth / 1e9:.1f} GB/s in a copy")  # fmt: skip
    print(f"{n_users:,} users, {N:,} items, {train.nnz:,} interactions, dim {D}; a step has {B:,} users, "
          f"{R:,} rows, {nnz:,} history items; {n_steps} steps per epoch")  # fmt: skip

    a, b, h, p, q = leaves = [
        torch.randn(*shape, requires_grad=True) for shape in ((R, D), (N, D), (D,), (R, D), (N, D))
    ]
    table, of_users = torch.randn(R, N), torch.randn(B, N)
    scores, positive = torch.randn(B, N, requires_grad=True), histories.membership(None, N)
    counts = expected_counts(positive, 4, torch.ones(N))
    values, present = zipf.features(N)
    towers = build_model(ModelConfig(name="multimodal-iris", dim=D), N, values, present).towers
    assert towers is not None

    def attended() -> torch.Tensor:
        found = attended_scores((a, b, h), (p, q), (rows, None), local, 0.8)
        if found is None:  # no compiler
            found = PairBlock(pair_logits(a, b, h), p @ q.T, same_items(rows, None), 0.0, 0.8).scores(local)
        return found

    def content() -> torch.Tensor:
        return torch.cat(list(towers(values, present).values()))

    def loss() -> torch.Tensor:
        return log_loss(scores, positive, counts)

    precisions: tuple[Precision, ...] = ("float32",)
    if precision_of("auto", build_model(ModelConfig(name="nais"), 1), torch.device("cpu")) == "bfloat16":
        precisions = ("float32", "bfloat16")
    pairs, of_loss, hidden = float(R) * N, 4.0 * B * N, towers.outputs["image"].in_features
    sums, exponentials = 2.0 * nnz * N, 15 * pairs
    widths = sum(x.shape[1] for x in values.values())
    # best seconds of a step, and those measured in each precision
    measured: dict[str, tuple[float, list[float]]] = {}

    def measure(name: str, best: float, make: Callable[[], Callable[[], Any]]) -> None:
        """Measure the work that is made, and made anew in each precision."""

        def of(precision: Precision) -> Callable[[], Any]:
            with rounding(precision == "bfloat16"):
                work = make()

            def run() -> Any:
                with rounding(precision == "bfloat16"):
                    return work()

            return run

        measured[name] = best, least([of(precision) for precision in precisions], options.rounds)

    with fused() as is_fused:
        print("pairs", "compiled" if is_fused else "in tables: there is no compiler")
        measure(
            "scores: pairs and sums, forward",
            machine.best(3 * pairs * D + exponentials + sums, 3 * of_loss),
            lambda: attended,
        )
        measure(
            "their gradients, pairs computed again",
            machine.best(8 * pairs * D + exponentials + sums, 3 * of_loss),
            lambda: backward(attended(), leaves),
        )
        measure(
            "towers, forward",
            machine.best(N * hidden * (widths + 4 * D), 4.0 * N * widths),
            lambda: content,
        )
        measure(
            "their gradients",
            machine.best(N * hidden * (widths + 8 * D), 4.0 * N * widths),
            lambda: backward(content(), list(towers.parameters())),
        )
        total = loss()
        measure(
            "loss, forward and gradients",
            machine.best(0, 3.25 * of_loss),
            lambda: lambda: (loss(), backward(total, [scores])()),
        )
    weights = [torch.randn(N, D, requires_grad=True) for _ in range(2)]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    adam = torch.optim.AdamW(weights)
    measure("optimiser, two tables of factors", machine.best(0, 7 * 8.0 * N * D), lambda: adam.step)
    print(f"\nms per step {'':27}" + "".join(f"{name:>12}" for name in (*precisions, "at best", "ratio")))
    for name, (best, seconds) in measured.items():
        print(
            f"{name:39}"
            + "".join(f"{1e3 * x:12.1f}" for x in (*seconds, best))
            + f"{seconds[0] / best:12.1f}"
        )
    best = n_steps * sum(best for best, _ in measured.values())
    epoch = [n_steps * sum(x) for x in zip(*(seconds for _, seconds in measured.values()), strict=True)]
    print(
        f"{'together, s per epoch':39}"
        + "".join(f"{x:12.2f}" for x in (*epoch, best))
        + f"{epoch[0] / best:12.1f}"
    )

    dense = torch.zeros(B, R)
    dense[local.owners, local.items] = 1
    sparse = torch.sparse_csr_tensor(local.offsets, local.items, torch.ones(nnz), (B, R))
    print(
        f"\nways to multiply histories ({nnz / B / R:.1%} of {B:,} x {R:,}) and a table ({R:,} x {N:,}), ms"
    )
    transposed = local.transposed(R)

    def bags(table: torch.Tensor, lists: Histories) -> torch.Tensor:
        bag = torch.nn.functional.embedding_bag
        return bag(lists.items, table, lists.offsets, mode="sum", include_last_offset=True)

    ways: dict[str, Callable[[], Any]] = {
        "compiled sum of rows (used)": lambda: bag_sum(table, local),
        "the other way round": lambda: bag_sum(of_users, transposed),
        "embedding bag": lambda: bags(table, local),
        "sparse matrix (CSR)": lambda: sparse @ table,
        "dense, float32": lambda: dense @ table,
        "dense, bfloat16": lambda: dense.bfloat16() @ table.bfloat16(),
    }
    for name, work in ways.items():
        print(f"{name:39}{1e3 * timed(work, options.rounds):12.1f}")

    for name, precision in [("fism", "float32")] + [
        (name, precision) for name in ("nais", "multimodal-iris") for precision in precisions
    ]:
        model = build_model(ModelConfig(name=name, dim=D), N, values, present)
        config = TrainingConfig(
            epochs=3, batch_users=B, fuse="on", negatives="all", patience=0, precision=precision
        )
        forget_peak()
        epochs = fit(model, train, config).epochs
        started = time.perf_counter()
        ranked = sum(len(part.topk(20).indices) for part in model.rank_scores(Histories.from_matrix(train)))
        seconds = time.perf_counter() - started
        print(f"{name}, {precision}: {min(float(e['seconds']) for e in epochs):.2f} s per epoch, {ranked:,} users "
              f"ranked over all items in {seconds:.2f} s, peak {peak_memory() / 1e6:,.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
