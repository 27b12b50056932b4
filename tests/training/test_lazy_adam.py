import pytest
import torch
from torch import nn
from torch.nn.functional import embedding

from irisrec.training.lazy_adam import LazyAdamW, gradient_norm

N, D = 6, 3
START = torch.randn(N, D, generator=torch.Generator().manual_seed(0))


def moved(
    make, rows_of_steps: list[list[int]], sparse: bool, decay: float = 0.3
) -> tuple[nn.Parameter, object]:
    table = nn.Parameter(START.clone())
    optimizer = make([table], lr=0.05, weight_decay=decay)
    for step, rows in enumerate(rows_of_steps):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = 0.05 / (step + 1)
        picked = embedding(torch.tensor(rows), table, sparse=sparse)
        (picked * torch.arange(1.0, picked.numel() + 1).view_as(picked)).sum().backward()
        optimizer.step()
    return table, optimizer


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_with_all_rows_in_every_step_it_is_adamw(decay):
    steps = [list(range(N))] * 4
    lazy, optimizer = moved(LazyAdamW, steps, True, decay)
    optimizer.settle()
    whole, _ = moved(torch.optim.AdamW, steps, False, decay)
    torch.testing.assert_close(lazy, whole)


def test_moments_and_decay_of_missed_steps_are_made_up_for():
    steps = [[0, 1, 2], [1], [3, 1, 1], [1], [0, 2]]
    lazy, optimizer = moved(LazyAdamW, steps, True)
    whole, adam = moved(torch.optim.AdamW, steps, False)
    for name in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(optimizer.state[lazy][name][[0, 2]], adam.state[whole][name][[0, 2]])
    untouched = lazy[5].clone()
    assert torch.equal(untouched, START[5])
    optimizer.settle()
    decay = torch.tensor([1 - 0.3 * 0.05 / step for step in range(1, 6)]).prod()
    torch.testing.assert_close(lazy[5], START[5] * decay)
    once = lazy.clone()
    optimizer.settle()
    assert torch.equal(once, lazy)


def test_the_norm_counts_repeated_rows_together():
    table = nn.Parameter(START.clone())
    embedding(torch.tensor([1, 1, 4]), table, sparse=True).sum().backward()
    assert float(gradient_norm([table])) == pytest.approx((3 * 2**2 + 3) ** 0.5)
