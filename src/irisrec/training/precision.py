"""Whether training rounds the inputs of products to bfloat16."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from irisrec.errors import TrainingError
from irisrec.models.trainable import Trainable

Precision = Literal["float32", "bfloat16"]
_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last one of ARM
_FASTER_ON = ("cpu",)  # where an epoch was measured to take less time, docs/performance.md


def precision_of(
    wanted: Literal["float32", "bfloat16", "auto"], model: Trainable, device: torch.device
) -> Precision:
    """Return what a model is trained with.

    Raises:
        TrainingError: bfloat16 is wanted where it makes no sense.
    """
    if wanted == "float32":
        return "float32"
    reason = _why_not(model, device)
    if wanted == "auto":
        return "bfloat16" if reason is None and device.type in _FASTER_ON else "float32"
    if reason is not None:
        raise TrainingError(
            f"training.precision = 'bfloat16' rounds the inputs of products, and {reason}; "
            "set it to 'float32' or 'auto'"
        )
    return "bfloat16"


def _why_not(model: Trainable, device: torch.device) -> str | None:
    if not model.rounds_products:
        return f"{type(model).__name__} has none of those that it rounds"
    types = {p.dtype for p in model.parameters()}
    if types != {torch.float32}:
        return f"weights are {' and '.join(sorted(map(str, types)))} here, not torch.float32"
    if device.type == "cuda":
        return _why_not_on_gpu()
    if not _FLAGS & processor_flags():
        return "this processor has no instruction for it and would only imitate it, slower than float32"
    return None


def _why_not_on_gpu() -> str | None:
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        return f"{torch.cuda.get_device_name()} has no instruction for it and would only imitate it"
    if "dtype" not in torch.ops.aten.mm.overloads():  # type: ignore[no-untyped-call]
        return f"PyTorch {torch.__version__} gives no sums in float32 for it on a GPU, as 2.8 and later do"
    return None


def processor_flags() -> set[str]:
    """Return what this processor can do, in the words of Linux; nothing on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").lower().splitlines()
    except OSError:
        return set()
    told = (line.partition(":") for line in lines)
    return {
        flag for name, _, flags in told if name.strip() in ("flags", "features") for flag in flags.split()
    }
