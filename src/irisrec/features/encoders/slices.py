"""A model on all cores: each works through slices of the batch by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Slice = TypeVar("Slice")
Result = TypeVar("Result")


def on_all_cores(work: Callable[[Slice], Result], slices: Sequence[Slice]) -> list[Result]:
    """Call ``work``, which computes with torch, on every slice; the results in the order of the slices.

    torch by itself lets all cores share each layer. They wait for one another at its end, awake, and where other
    threads decode meanwhile, one or the other is always late: that took twice the processor time for a small ResNet.
    """
    import torch

    cores = torch.get_num_threads()
    threads = min(cores, len(slices))
    if threads < 2:
        return [work(part) for part in slices]
    try:
        with ThreadPoolExecutor(
            threads, "model", initializer=torch.set_num_threads, initargs=(cores // threads,)
        ) as pool:
            return list(pool.map(work, slices))
    finally:
        torch.set_num_threads(cores)  # a thread sets its own number, and that of threads which start later
