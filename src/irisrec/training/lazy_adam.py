"""AdamW for tables of which a step reads few rows: a step costs the rows it has gradients for, not the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # as of torch.optim.AdamW


class LazyAdamW(torch.optim.Optimizer):
    r"""Adam with decoupled weight decay on sparse gradients, each row brought up to date when it has a gradient.

    For a row without a gradient a step of AdamW does three things: both moments shrink, the weights decay, and the
    weights coast on along the old first moment. The first two are made up for exactly, for all steps missed at once,
    when the row has a gradient again; the third, at most ``lr m / √v`` per step and fading by ``β₁`` each, is left
    out. A table whose rows all have a gradient in every step is fitted as by `torch.optim.AdamW`.

    Args:
        tables: (N, D) each, with sparse gradients.
        lr: learning rate.
        weight_decay: decoupled, per unit of learning rate.
    """

    def __init__(self, tables: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(tables, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the rows that have gradients."""
        assert closure is None, "a closure would be evaluated on rows that are not up to date"
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._move(table, group["lr"], group["weight_decay"])

    @torch.no_grad()
    def settle(self) -> None:
        """Let the weights of all rows decay for the steps they missed: before they are read as a whole."""
        for table, state in self.state.items():
            table.mul_((state["decay"] - state["decayed"]).exp().to(table.dtype)[:, None])
            state["decayed"].fill_(float(state["decay"]))

    def _move(self, table: nn.Parameter, lr: float, weight_decay: float) -> None:
        assert table.grad is not None
        gradient = table.grad.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        state = self.state[table] or self._begin(table)
        state["step"] += 1
        state["decay"] += math.log1p(-lr * weight_decay)
        missed = state["step"] - state["last"][rows]  # (r,), at least 1
        state["last"][rows] = state["step"]
        first, second = (state[name].index_select(0, rows) for name in ("exp_avg", "exp_avg_sq"))
        first.mul_(_BETAS[0] ** missed[:, None]).add_(values, alpha=1 - _BETAS[0])
        second.mul_(_BETAS[1] ** missed[:, None]).addcmul_(values, values, value=1 - _BETAS[1])
        state["exp_avg"].index_copy_(0, rows, first)
        state["exp_avg_sq"].index_copy_(0, rows, second)
        n = int(state["step"])
        spread = second.div_(1 - _BETAS[1] ** n).sqrt_().add_(_EPSILON)
        weights = table.index_select(0, rows)
        if weight_decay:
            weights *= (state["decay"] - state["decayed"][rows]).exp().to(table.dtype)[:, None]
            state["decayed"][rows] = state["decay"]
        table.index_copy_(0, rows, weights.addcdiv_(first, spread, value=-lr / (1 - _BETAS[0] ** n)))

    def _begin(self, table: nn.Parameter) -> dict[str, Any]:
        """Keep, beside the moments, the step each row was last moved in and the log of all decay it has had."""
        zeros = torch.zeros_like(table)
        state: dict[str, Any] = self.state[table]
        state["step"] = torch.zeros((), dtype=torch.float32)
        state["decay"] = torch.zeros((), dtype=torch.float64)
        state["exp_avg"], state["exp_avg_sq"] = zeros, zeros.clone()
        state["last"] = torch.zeros(len(table), device=table.device)
        state["decayed"] = torch.zeros(len(table), dtype=torch.float64, device=table.device)
        return state


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the norm of all gradients together; sparse ones are coalesced on the way."""
    norms = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
        values = parameter.grad.values() if parameter.grad.is_sparse else parameter.grad
        norms.append(torch.linalg.vector_norm(values))
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())
