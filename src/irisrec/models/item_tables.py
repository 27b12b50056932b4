"""ItemTables: what the pairs of some items are computed from, and gradients that many blocks of pairs add to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

from irisrec.native.pairs import Rows

_PartName = Literal["p", "q", "a", "b"]
_Kind = TypeVar("_Kind", bound="ItemTables")


@dataclass(frozen=True)
class Part:
    """A table of some items, or some rows of a leaf (`Leaves`).

    Attributes:
        table: (n, D), the rows themselves if ``rows`` is None.
        rows: (R,) which rows of a leaf, each once.
    """

    table: Tensor
    rows: Tensor | None = None

    def detached(self) -> Rows:
        """Return the same rows for the compiled functions, from which nothing leads back."""
        return Rows(self.table.detach().contiguous(), self.rows)

    @property
    def is_gathered(self) -> bool:
        """Whether the gradient of the rows is added to that of a leaf, and not given back."""
        return self.rows is not None

    def gradient(self) -> Tensor:
        """Return what the gradient of the rows is added to: that of the leaf, or zeros."""
        if not self.is_gathered:
            return torch.zeros_like(self.table, memory_format=torch.contiguous_format)
        if self.table.grad is None:
            self.table.grad = torch.zeros_like(self.table)
        return self.table.grad

    def tensor(self) -> Tensor:
        """Return the rows (R, D), differentiable."""
        if self.rows is None:
            return self.table
        picked: Tensor = _Picked.apply(self.table, self)  # type: ignore[no-untyped-call]
        return picked


class _Picked(torch.autograd.Function):
    """Rows of a leaf, whose gradient is added to the leaf's: no table with zeros elsewhere is made for each block."""

    @staticmethod
    def forward(ctx: Any, leaf: Tensor, part: Part) -> Tensor:
        ctx.part = part
        assert part.rows is not None
        return leaf.index_select(0, part.rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None]:
        ctx.part.gradient().index_add_(0, ctx.part.rows, gradients[0])
        return None, None


@dataclass(frozen=True)
class ItemTables:
    """What the pairs of n items are computed from.

    Attributes:
        p, q: (n, D), the latent factors as history items and as candidates.
        outputs: {modality: (n, D)}, what the towers give; empty where there are none, or a and b are there instead.
        bias: b_j (n,) as candidates; None where there are none.
        a, b: (n, D) what an additive attention makes of them as history items and as candidates, where it has been
            applied already; else None.
    """

    p: Tensor
    q: Tensor
    outputs: Mapping[str, Tensor]
    bias: Tensor | None
    a: Tensor | None = None
    b: Tensor | None = None

    def picked(self, rows: Tensor) -> ItemTables:
        """Return some of the rows."""
        # the gradient of index_select is quicker than that of an index
        return self._each(lambda table: table.index_select(0, rows), ItemTables)

    def part(self, name: _PartName) -> Part:
        """Return one of the tables that are there."""
        return Part(getattr(self, name))

    @property
    def has_sides(self) -> bool:
        """Whether a and b are there."""
        return self.a is not None and self.b is not None

    def followed_by(self, others: ItemTables) -> ItemTables:
        """Return the rows of these items and then those of others of the same model."""
        rest = iter(others._tables)
        return self._each(lambda table: torch.cat([table, next(rest)]), ItemTables)

    def leaves(self) -> Leaves:
        """Return the same numbers as the beginning of a graph of their own."""
        return self._each(lambda table: table.detach().requires_grad_(), Leaves)

    def backward(self, leaves: Leaves) -> None:
        """Go on with the gradients that the leaves have gathered."""
        pairs = zip(self._tables, leaves._tables, strict=True)
        reached = [(mine, leaf.grad) for mine, leaf in pairs if mine.requires_grad and leaf.grad is not None]
        torch.autograd.backward([mine for mine, _ in reached], [gradient for _, gradient in reached])

    def _each(self, change: Callable[[Tensor], Tensor], kind: type[_Kind]) -> _Kind:
        """Return the tables changed one after the other, in the order of `_tables`."""
        p, q = change(self.p), change(self.q)
        outputs = {name: change(x) for name, x in self.outputs.items()}
        bias, a, b = (None if x is None else change(x) for x in (self.bias, self.a, self.b))
        return kind(p, q, outputs, bias, a, b)

    @property
    def _tables(self) -> list[Tensor]:
        given = (x for x in (self.bias, self.a, self.b) if x is not None)
        return [self.p, self.q, *self.outputs.values(), *given]


class Leaves(ItemTables):
    """Tables whose rows are picked for one block of pairs after the other, and whose gradients gather in place."""

    def picked(self, rows: Tensor) -> ItemTables:
        """Return some of the rows."""
        return _PickedLeaves(self, rows)


class _PickedLeaves(ItemTables):
    """Rows of leaves, each table picked when it is first read: history items need not what candidates need."""

    _leaves: Leaves
    _rows: Tensor

    def __init__(self, leaves: Leaves, rows: Tensor) -> None:
        self.__dict__.update(_leaves=leaves, _rows=rows)

    @cached_property
    def p(self) -> Tensor:
        return self._pick(self._leaves.p)

    @cached_property
    def q(self) -> Tensor:
        return self._pick(self._leaves.q)

    @cached_property
    def outputs(self) -> Mapping[str, Tensor]:
        return {name: self._pick(x) for name, x in self._leaves.outputs.items()}

    @cached_property
    def bias(self) -> Tensor | None:
        return None if self._leaves.bias is None else self._pick(self._leaves.bias)

    @cached_property
    def a(self) -> Tensor | None:
        return None if self._leaves.a is None else self._pick(self._leaves.a)

    @cached_property
    def b(self) -> Tensor | None:
        return None if self._leaves.b is None else self._pick(self._leaves.b)

    def part(self, name: _PartName) -> Part:
        """Return one of the tables as rows of a leaf."""
        return Part(getattr(self._leaves, name), self._rows)

    @property
    def has_sides(self) -> bool:
        """Whether a and b are there."""
        return self._leaves.has_sides

    def _pick(self, leaf: Tensor) -> Tensor:
        return Part(leaf, self._rows).tensor()
