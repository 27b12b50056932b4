"""The compiled log loss against its definition in double precision."""

import math

import pytest
import torch

from irisrec.models.pair_kernel import fused
from irisrec.native.library import compiler
from irisrec.training.losses import log_loss

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")


@pytest.fixture(autouse=True)
def _on_any_amount_of_work(monkeypatch):
    monkeypatch.setattr("irisrec.native.choice._FEW", 0)
    monkeypatch.setattr("irisrec.native.threads._FEW", 0)


def of(scores, positive, counts):
    leaf = scores.clone().requires_grad_()
    loss = log_loss(leaf, positive, counts)
    (3 * loss).backward()
    return loss.detach(), leaf.grad


@pytest.mark.parametrize("shape", [(1, 1), (3, 15), (5, 16), (40, 133)])
@pytest.mark.parametrize("spread", [0.01, 1.0, 5.0, 60.0])
def test_loss_and_gradient_are_those_of_the_definition(shape, spread):
    generator = torch.Generator().manual_seed(0)
    scores = spread * torch.randn(shape, generator=generator)
    positive = torch.rand(shape, generator=generator) < 0.2
    counts = torch.rand(shape, generator=generator) + 0.1
    loss, gradient = of(scores.double(), positive, counts.double())
    with fused():
        found, slopes = of(scores, positive, counts)
    assert float(found) == pytest.approx(float(loss), rel=2e-6)
    torch.testing.assert_close(slopes.double(), gradient, rtol=5e-6, atol=1e-9)


@pytest.mark.parametrize("score", [-80.0, -30.0, -12.0, -5.0, 0.0, 5.0, 30.0, 1e6, float("inf")])
def test_small_probabilities_keep_their_relative_precision(score):
    one = torch.ones(1, 1)
    with fused():
        loss, gradient = of(torch.full((1, 1), score), one < 0, one)
    exact = torch.tensor(score, dtype=torch.float64)
    assert float(loss) == pytest.approx(max(score, 0.0) + math.log1p(math.exp(-abs(score))), rel=1e-6)
    assert float(gradient) == pytest.approx(3 * float(exact.sigmoid()), rel=1e-6)


def test_what_is_not_a_number_stays_so():
    one = torch.ones(1, 3)
    scores = torch.tensor([[0.0, float("nan"), 1.0]])
    with fused():
        loss, gradient = of(scores, one < 0, one)
    assert loss.isnan()
    assert gradient.isnan().tolist() == [[False, True, False]]
