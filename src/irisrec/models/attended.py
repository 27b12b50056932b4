"""Scores through an additive attention from what pairs are made of, where no table of pairs needs to be made."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from irisrec.models.histories import Histories
from irisrec.models.item_tables import Part
from irisrec.models.products import is_rounding
from irisrec.native.choice import library_for
from irisrec.native.lists import Lists
from irisrec.native.pairs import Attended, Pairs


class _AttendedScores(torch.autograd.Function):
    """The scores are computed before; the pairs are computed once more for the gradients."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        *ctx.tables, _, ctx.parts, ctx.pairs, ctx.lists, ctx.beta, ctx.attended = arguments
        scores: Tensor = ctx.attended.scores
        return scores

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        to = tuple(part.gradient() for part in ctx.parts)
        of_h = ctx.pairs.gradients(ctx.lists, ctx.beta, ctx.attended, gradients[0], to)
        found = (None if part.is_gathered else x for part, x in zip(ctx.parts, to, strict=True))
        return *found, of_h, None, None, None, None, None


def attended_scores(
    sides: tuple[Tensor | Part, Tensor | Part, Tensor],
    factors: tuple[Tensor | Part, Tensor | Part],
    items: tuple[Tensor, Tensor | None],
    histories: Histories,
    beta: float,
) -> Tensor | None:
    r"""Return ``Σ_i w_i E_ij p_i·q_j / (Σ_i w_i E_ij)^β`` (B, C), ``E_ij = exp hᵀ relu(a_i + b_j)``, differentiable.

    None where the compiled functions are not there or do not serve: for little work, another device or type, and logits
    too far apart for one maximum per column.

    Args:
        sides: a (R, D), b (C, D) and h (D,).
        factors: p (R, K) and q (C, K).
        items: item rows (R,) of the rows and (C,) of the columns, all items if None; an item is in no sum of its own.
        histories: B histories over the rows.
        beta: exponent of the denominator.

    Where training rounds (`irisrec.models.products`), p and q are.
    """
    *of_pairs, h = sides
    parts = [x if isinstance(x, Part) else Part(x) for x in (*of_pairs, *factors)]
    tables = (*(part.table for part in parts), h)
    a, b, p, q = (part.detached() for part in parts)
    operations = float(len(a)) * len(b) * (a.width + p.width) + float(len(histories.items)) * len(b)
    library = library_for(operations, *tables)
    if library is None or not len(a) or not len(b):
        return None
    keep = torch.is_grad_enabled() and any(x.requires_grad for x in tables)
    same = _same_rows(*items, len(b))
    pairs = Pairs(library, a, b, h.detach(), p, q, same, is_rounding())
    lists = Lists.of(histories.items, histories.offsets, histories.weights)
    attended: Attended | None = pairs.attended(lists, beta, keep)
    if attended is None or not keep:
        return None if attended is None else attended.scores
    scores: Tensor = _AttendedScores.apply(*tables, parts, pairs, lists, beta, attended)  # type: ignore[no-untyped-call]
    return scores


def _same_rows(rows: Tensor, columns: Tensor | None, n_columns: int) -> Tensor:
    """Return (C,), which row is the same item as a column; -1 where none is."""
    n_items = n_columns if columns is None else 1 + int(torch.maximum(rows.max(), columns.max()))
    row_of = torch.full((n_items,), -1, dtype=torch.int32)
    row_of[rows] = torch.arange(len(rows), dtype=torch.int32)
    return row_of if columns is None else row_of[columns]
