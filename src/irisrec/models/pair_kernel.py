"""The pair kernel ``g_ij = hᵀ f(A_i + B_j)``: a two-layer perceptron on every pair of items, without the pairs' tensor.

Done plainly it would need (R, C, D) numbers: 870 million for MovieLens-1M at D = 64. Forward and backward are
built from two operations that hold only one block of it at a time (scores need not even the (R, C) logits, see
`irisrec.models.attended`):

    expand   g_ij  = Σ_d h_d f(A_id + B_jd)              (R, C)
    reduce   r_id  = Σ_j G_ij φ(A_id + B_jd)             (R, D)

With ``G = ∂L/∂g``: ``∂A = h ∘ reduce(G, A, B, f')``, ``∂B = h ∘ reduce(Gᵀ, B, A, f')`` and
``∂h = Σ_i reduce(G, A, B, f)_i``, which for ReLU follows from the first two since ``relu(x) = x relu'(x)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from irisrec.native.choice import library_for
from irisrec.native.library import compiler, compiling
from irisrec.native.pairs import Pairs, Rows

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
_BLOCK = 1 << 20  # elements of (R, C, D) held at once on the fallback path: 4 MB in float32, near the cache
_BLOCK_OF_GPU = 1 << 26  # on a GPU each block is a few launches, which have to be worth it: 256 MB
_FUSED_FROM = (
    32  # rows and columns from which a block is compiled for; each odd small shape would compile anew
)
_fused = False


def _relu_slope(x: Tensor) -> Tensor:
    return x.gt_(0)  # slopes are taken of temporaries only, so they may overwrite them


def _sigmoid_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x).square()


_SLOPES = {"relu": _relu_slope, "sigmoid": _sigmoid_slope, "tanh": _tanh_slope}


def _expand(a: Tensor, b: Tensor, h: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    # the columns lie together, so that neighbouring pairs share an instruction and no sum goes across one
    return (f(a[:, :, None] + b.T.contiguous()[None]) * h[:, None]).sum(1)  # (R, D, C) -> (R, C)


def _reduce(gradient: Tensor, a: Tensor, b: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    if f is _relu_slope:  # a comparison and a choice instead of a sum, a comparison and a product
        return torch.where(a[:, None, :] > -b[None], gradient[:, :, None], 0.0).sum(1)
    return (gradient[:, :, None] * f(a[:, None, :] + b[None, :, :])).sum(1)  # (R, C, D) -> (R, D)


@functools.cache
def _compiled(operation: Callable[..., Tensor], f: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def run(*tensors: Tensor) -> Tensor:
        return operation(*tensors, f)

    return torch.compile(run, dynamic=True)


def _is_fused(a: Tensor, b: Tensor) -> bool:
    return _fused and a.is_cuda and min(len(a), len(b)) >= _FUSED_FROM


@functools.cache
def _gpu_kernels() -> ModuleType | None:
    try:
        from irisrec.models import pair_triton
    except ImportError:
        return None
    return pair_triton


def _kernels_for(*tensors: Tensor) -> Any:
    """Return the module of the GPU's own kernels for ReLU, where they serve these tensors."""
    kernels = _gpu_kernels() if tensors[0].is_cuda else None
    return kernels if kernels is not None and kernels.serves(*tensors) else None


def _blocks(a: Tensor, b: Tensor) -> Iterator[tuple[slice, slice]]:
    dim, block = max(a.shape[1], 1), _BLOCK_OF_GPU if a.is_cuda else _BLOCK
    columns = max(1, min(len(b), block // dim))
    rows = max(1, block // max(dim * columns, 1))
    for start in range(0, len(a), rows):
        for left in range(0, len(b), columns):
            yield slice(start, start + rows), slice(left, left + columns)


def expand(a: Tensor, b: Tensor, h: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return g (R, C) for rows a (R, D), columns b (C, D) and weights h (D,)."""
    if _is_fused(a, b):
        if f is torch.relu and (kernels := _kernels_for(a, b, h)):
            return kernels.expand(a, b, h)  # type: ignore[no-any-return]
        return _compiled(_expand, f)(a, b, h)
    library = library_for(float(len(a)) * len(b) * len(h), a, b, h) if f is torch.relu else None
    if library is not None:
        none = Rows(a.new_empty(len(a), 0)), Rows(a.new_empty(len(b), 0))
        sides = Rows(a.contiguous()), Rows(b.contiguous())
        return Pairs(library, *sides, h, *none, a.new_full((len(b),), -1)).logits()
    g = a.new_empty(len(a), len(b))
    for rows, columns in _blocks(a, b):
        g[rows, columns] = f(a[rows, None, :] + b[None, columns, :]) @ h
    return g


def reduce(gradient: Tensor, a: Tensor, b: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return r (R, D), the sum over columns of gradient (R, C) times ``f`` of each pair."""
    if _is_fused(a, b):
        if f is _relu_slope and (kernels := _kernels_for(gradient, a, b)):
            return kernels.reduce(gradient, a, b)  # type: ignore[no-any-return]
        return _compiled(_reduce, f)(gradient, a, b)
    r = torch.zeros_like(a)
    for rows, columns in _blocks(a, b):
        values = f(a[rows, None, :] + b[None, columns, :])
        r[rows] += torch.bmm(gradient[rows, None, columns], values)[:, 0]
    return r


class _PairLogits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h: Tensor, activation: str) -> Tensor:
        ctx.save_for_backward(a, b, h)
        ctx.activation = activation
        return expand(a, b, h, ACTIVATIONS[activation])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        a, b, h = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        slope = _SLOPES[ctx.activation]
        row_sums = reduce(gradient, a, b, slope)
        column_sums = reduce(gradient.T.contiguous(), b, a, slope)
        if ctx.activation == "relu":
            grad_h = (a * row_sums).sum(0) + (b * column_sums).sum(0)
        else:
            grad_h = reduce(gradient, a, b, ACTIVATIONS[ctx.activation]).sum(0)
        return h * row_sums, h * column_sums, grad_h, None


def pair_logits(a: Tensor, b: Tensor, h: Tensor, activation: str = "relu") -> Tensor:
    """Return ``g_ij = hᵀ f(a_i + b_j)`` for every row i and column j, differentiable in all three.

    Shape:
        a (R, D), b (C, D), h (D,) -> g (R, C)
    """
    return _PairLogits.apply(a, b, h, activation)  # type: ignore[no-any-return, no-untyped-call]


def can_fuse() -> bool:
    """Whether this machine has what compiling needs: a C++ compiler, or a GPU with Triton."""
    return torch.cuda.is_available() or compiler() is not None


@contextmanager
def fused(wanted: bool = True) -> Iterator[bool]:
    """Compile what goes over all pairs inside this context, where the machine can; yields whether it does.

    On a GPU ``torch.compile`` takes some twenty seconds once per machine and a few per process; on the processor the
    library of `irisrec.native` takes a few seconds, once per machine.
    """
    global _fused
    wanted = wanted and can_fuse()
    before, _fused = _fused, wanted
    try:
        with compiling(wanted):
            yield wanted
    finally:
        _fused = before
