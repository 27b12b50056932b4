"""Checkpoints: everything training needs to go on, in one file that is whole or not there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from irisrec.clock import Stopwatch
from irisrec.errors import RunError
from irisrec.files import atomic_path

FORMAT = 1


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        epoch: epochs finished.
        best_epoch: the one with the best validation value, 0 before the first.
        best_value: its validation NDCG@10.
        finished: whether training ended by itself.
        epochs: one record per finished epoch: loss, learning rate, seconds, validation metrics.
        precision: what the inputs of products were rounded to, ``float32`` where they were not.
        seconds, cpu_seconds: of fitting so far, what comes before the first epoch included, validation not.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_value: float = float("-inf")
    finished: bool = False
    epochs: list[dict[str, Any]] = field(default_factory=list)
    precision: str = "float32"
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, spent: Stopwatch | Progress) -> None:
        """Count time that was spent on fitting."""
        self.seconds += spent.seconds
        self.cpu_seconds += spent.cpu_seconds


@dataclass
class State:
    """Weights, the best weights so far, the optimizer's moments, and progress."""

    weights: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    progress: Progress


def save_state(path: Path, state: State) -> None:
    """Write a checkpoint atomically: a kill at any moment leaves the previous one or this one."""
    groups = {"weights": state.weights, "best": state.best, "optimizer": state.optimizer}
    tensors = {
        f"{group}/{name}": tensor.detach().cpu().contiguous()
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    progress = asdict(state.progress)
    if state.progress.best_epoch == 0:
        progress.pop("best_value")  # JSON has no infinity
    metadata = {"format": str(FORMAT), "progress": json.dumps(progress)}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def load_state(path: Path) -> State:
    """Read a checkpoint; a file that is not one is an error with its path."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != str(FORMAT):
                raise RunError(
                    f"{path} is a checkpoint of format {metadata.get('format')}, this version reads {FORMAT}"
                )
            groups: dict[str, dict[str, Tensor]] = {"weights": {}, "best": {}, "optimizer": {}}
            for key in file.keys():  # noqa: SIM118 (not a mapping)
                group, name = key.split("/", 1)
                groups[group][name] = file.get_tensor(key)
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(
            f"{path} is not a readable checkpoint ({error}); start again with `irisrec train CONFIG`"
        ) from None
    progress = Progress(**json.loads(metadata["progress"]))
    if not progress.seconds:  # of a version that kept those of the epochs alone
        progress.seconds = sum(float(record["seconds"]) for record in progress.epochs)
    return State(**groups, progress=progress)


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: dict[int, str]) -> dict[str, Tensor]:
    """Flatten the optimizer's state to named tensors."""
    flat = {}
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            flat[f"{names[id(parameter)]}/{key}"] = torch.as_tensor(value)
    return flat


def restore_optimizer(
    optimizer: torch.optim.Optimizer, names: dict[int, str], flat: dict[str, Tensor]
) -> None:
    """Put named tensors back, bit for bit."""
    by_name: dict[str, dict[str, Tensor]] = {}
    for key, value in flat.items():
        name, entry = key.rsplit("/", 1)
        by_name.setdefault(name, {})[entry] = value
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            values = by_name.get(names[id(parameter)], {})
            optimizer.state[parameter] = {
                # Adam keeps its step counter on the processor, the moments beside the weights
                key: value.clone() if key == "step" else value.to(parameter.device).clone()
                for key, value in values.items()
            }
