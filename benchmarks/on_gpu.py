"""Training and ranking on a GPU: seconds per epoch, share of what the card could do, and where the time goes.

    python benchmarks/on_gpu.py                     MovieLens-1M's shape, and the paper's Amazon size
    python benchmarks/on_gpu.py --items 23033 --profile

Rates are those of `phases.py`: a matrix product in 32-bit floats and a copy, both measured on the card.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
import zipf

from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories, bag_sum
from irisrec.models.pair_kernel import fused, pair_logits
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit


def timed(work: Callable[[], Any], rounds: int = 10) -> float:
    """Return the median seconds of a number of rounds between two events, after three to warm up."""
    for _ in range(3):
        work()
    events = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(rounds)
    ]
    for begin, end in events:
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return sorted(begin.elapsed_time(end) for begin, end in events)[rounds // 2] / 1e3


def backward(outputs: torch.Tensor, inputs: list[torch.Tensor]) -> Callable[[], Any]:
    gradient = torch.randn_like(outputs)
    return lambda: torch.autograd.grad(outputs, inputs, gradient, retain_graph=True)


def phases(n_items: int, dim: int, batch_users: int) -> None:
    """Print the kernel and the sparse products of one step, and how far they are from the card's limit."""
    n_users, n = zipf.SIZES[n_items]
    train = zipf.interactions(n_users, n_items, n)
    users = torch.randperm(n_users, generator=torch.Generator().manual_seed(0))[:batch_users].numpy()
    rows, local = Histories.from_matrix(train, users).to("cuda").localized()
    a, b, h = (
        torch.randn(*s, device="cuda", requires_grad=True) for s in ((len(rows), dim), (n_items, dim), (dim,))
    )
    x = torch.randn(8192, 8192, device="cuda")
    source, target = torch.randn(1 << 28, device="cuda"), torch.empty(1 << 28, device="cuda")
    flops = 2 * 8192**3 / timed(lambda: x @ x)
    bandwidth = 8 * source.numel() / timed(lambda: target.copy_(source))
    pairs, tables = float(len(rows)) * n_items, 4.0 * len(rows) * n_items
    print(f"{torch.cuda.get_device_name()}: {flops / 1e12:.1f} TFLOP/s in a 32-bit product, "
          f"{bandwidth / 1e12:.2f} TB/s in a copy; a step has {len(rows):,} rows, {n_items:,} columns, "
          f"{len(local.items):,} history items, dim {dim}")  # fmt: skip

    def line(name: str, seconds: float, instructions: float, moved: float) -> None:
        best = max(instructions / (flops / 2), moved / bandwidth)
        print(f"{name:38}{1e3 * seconds:9.3f} ms{1e3 * best:9.3f} ms at best, ratio {seconds / best:5.1f}, "
              f"{instructions / seconds / (flops / 2):5.0%} of peak arithmetic")  # fmt: skip

    for compiled in (True, False):
        with fused(compiled):
            name = "compiled" if compiled else "in chunks"
            line(f"pair kernel, {name}", timed(lambda: pair_logits(a, b, h)), 3 * pairs * dim, tables)
            line(
                f"its gradients, {name}",
                timed(backward(pair_logits(a, b, h), [a, b, h])),
                4 * pairs * dim,
                4 * tables,
            )
    table = torch.randn(len(rows), n_items, device="cuda")
    moved = 4.0 * (len(rows) + len(local)) * n_items
    line("one sparse product", timed(lambda: bag_sum(table, local)), len(local.items) * n_items, moved)
    back, sums = local.transposed(len(rows)), torch.randn(len(local), n_items, device="cuda")
    line("its gradient", timed(lambda: bag_sum(sums, back)), len(local.items) * n_items, moved)
    dense = torch.zeros(len(local), len(rows), device="cuda")
    dense[local.owners, local.items] = 1
    line("the product, dense", timed(lambda: dense @ table), float(len(local)) * len(rows) * n_items, moved)


def epochs(n_items: int, names: list[str], dim: int, batch_users: int, profile: bool) -> None:
    """Print seconds per epoch and of a full ranking, and with ``profile`` the kernels that took most time."""
    n_users, n = zipf.SIZES[n_items]
    train = zipf.interactions(n_users, n_items, n)
    values, present = zipf.features(n_items)
    for name in names:
        for negatives in ("all", "auto"):
            model = build_model(ModelConfig(name=name, dim=dim), n_items, values, present)
            config = TrainingConfig(
                epochs=4, batch_users=batch_users, fuse="on", negatives=negatives, patience=0
            )
            torch.cuda.reset_peak_memory_stats()
            seconds = min(float(e["seconds"]) for e in fit(model, train, config).epochs)
            torch.cuda.synchronize()
            histories = Histories.from_matrix(train).to("cuda")
            started = time.perf_counter()
            with fused():
                ranked = sum(len(part.topk(20).indices) for part in model.rank_scores(histories))
            torch.cuda.synchronize()
            print(f"{name}, {n_items:,} items, negatives {negatives}: {seconds:.3f} s per epoch, {ranked:,} users "
                  f"ranked over all in {time.perf_counter() - started:.2f} s, peak "
                  f"{torch.cuda.max_memory_allocated() / 1e9:.2f} GB of the GPU", flush=True)  # fmt: skip
            if profile and negatives == "all":
                _profile(model, train, config)


def _profile(model: Any, train: Any, config: TrainingConfig) -> None:
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    with profiler(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as found:
        fit(model, train, config.model_copy(update={"epochs": 1}))
        torch.cuda.synchronize()
    print(found.key_averages().table(sort_by="cuda_time_total", row_limit=14, max_name_column_width=50))
    print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=14, max_name_column_width=50))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="*", default=[3_685, 23_033], choices=list(zipf.SIZES))
    parser.add_argument("--models", nargs="*", default=["fism", "nais", "multimodal-iris"])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--batch-users", type=int, default=512)
    parser.add_argument("--profile", action="store_true", help="list the kernels of one epoch")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("this benchmark needs a GPU, and torch sees none; phases.py measures the CPU")
    for n_items in options.items:
        phases(n_items, options.dim, options.batch_users)
        epochs(n_items, options.models, options.dim, options.batch_users, options.profile)


if __name__ == "__main__":
    main()
