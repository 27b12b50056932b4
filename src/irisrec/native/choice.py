"""Whether the compiled functions do a piece of work."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from irisrec.native.library import library

_FEW = 1e5  # operations that take no time either way
_MANY = 5e8  # that take about a second without the library, less than compiling it


def library_for(operations: float, *tensors: Tensor) -> ctypes.CDLL | None:
    """Return the library where it serves: for float32 on the processor, and more than a little work."""
    if operations < _FEW or any(x.dtype != torch.float32 or x.device.type != "cpu" for x in tensors):
        return None
    return library(worth_compiling=operations > _MANY)
