"""Products of matrices whose inputs training may round to bfloat16; weights, sums and results are float32.

A bfloat16 number has the exponent of a float32 number and 8 of its 24 significant bits: rounding moves it by 1/256
of itself at most. The product of two of them is exact in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

_rounding = False


@contextmanager
def rounding(wanted: bool) -> Iterator[None]:
    """Round the inputs of the products below inside this context, and of those of their gradients."""
    global _rounding
    before, _rounding = _rounding, wanted
    try:
        yield
    finally:
        _rounding = before


def is_rounding() -> bool:
    """Whether inputs are rounded now."""
    return _rounding


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``x weightᵀ + bias``.

    Shape:
        x (n, F), weight (D, F), bias (D,) -> (n, D)
    """
    if not _rounding:
        return torch.nn.functional.linear(x, weight, bias)
    product: Tensor = _Linear.apply(x, weight)  # type: ignore[no-untyped-call]
    return product if bias is None else product + bias


def rounded_product(x: Tensor, y: Tensor) -> Tensor:
    """Return ``x y`` in float32, of inputs rounded to bfloat16.

    Sums are float32. On the processor, whose library gives results in the type of the inputs, they are then rounded.
    """
    x, y = x.bfloat16(), y.bfloat16()
    return torch.mm(x, y, out_dtype=torch.float32) if x.is_cuda else (x @ y).float()


class _Linear(torch.autograd.Function):
    """The gradient is that of the rounded inputs, as if rounding itself changed nothing."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        x, weight = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, weight)
        return rounded_product(x, weight.T)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].bfloat16()
        of_x, of_weight = ctx.needs_input_grad
        return (
            rounded_product(gradient, weight) if of_x else None,
            rounded_product(gradient.T, x) if of_weight else None,
        )
