"""Rounded products against double precision: of the rounded inputs, and as near to the others as 8 bits allow."""

import pytest
import torch
from torch.nn.functional import linear as plain

from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories, bag_sum, history_sum
from irisrec.models.products import is_rounding, linear, rounded_product, rounding

HALF_UNIT = 2.0**-8  # rounding to 8 bits moves a number by at most this share of it
GENERATOR = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=GENERATOR)


def of(function, inputs, direction):
    """Return the value of a function of leaves, and the gradients by them along a direction."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    value = function(*leaves)
    return value.detach(), *torch.autograd.grad(value, leaves, direction.to(value.dtype))


def test_values_and_gradients_are_those_of_the_rounded_inputs():
    x, weight, bias, direction = normal(70, 40), normal(30, 40), normal(30), normal(70, 30)
    with rounding(True):
        found = of(linear, (x, weight, bias), direction)
    rounded_x, rounded_weight, rounded = (t.bfloat16().double() for t in (x, weight, direction))
    wanted = (
        rounded_x @ rounded_weight.T + bias.double(),
        rounded @ rounded_weight,
        rounded.T @ rounded_x,
        direction.double().sum(0),
    )
    for ours, exact in zip(found, wanted, strict=True):
        assert ours.dtype == torch.float32
        # the processor's library rounds each result once more; where the bias cancels it, of what it was before
        bound = HALF_UNIT * (exact.abs() + bias.abs().max()) + 1e-5
        assert ((ours.double() - exact).abs() <= bound).all()


def test_rounding_moves_a_product_by_as_much_as_eight_bits_do():
    x, weight = normal(70, 40), normal(30, 40)
    with rounding(True):
        found = linear(x, weight).double()
    exact = x.double() @ weight.double().T
    # each factor by half a unit, and the result
    bound = 2.01 * HALF_UNIT * (x.double().abs() @ weight.double().abs().T) + 1.01 * HALF_UNIT * exact.abs()
    assert ((found - exact).abs() <= bound).all()
    assert (found - exact).abs().max() > 100 * torch.finfo(torch.float32).eps, "nothing was rounded"


def test_nothing_is_rounded_outside_the_context_or_after_an_error():
    x, weight, bias = normal(7, 4), normal(3, 4), normal(3)
    with rounding(True), rounding(False):
        assert torch.equal(linear(x, weight, bias), plain(x, weight, bias))
    with pytest.raises(ValueError, match="in between"), rounding(True):
        raise ValueError("in between")
    assert not is_rounding()
    assert torch.equal(linear(x, weight), plain(x, weight))


def test_frozen_vectors_get_no_gradient():
    weight = normal(3, 4).requires_grad_()
    with rounding(True):
        linear(normal(7, 4), weight).sum().backward()
    assert weight.grad is not None


HISTORIES = Histories.of([[0, 3, 4], [], [1, 2, 3, 5], [5]])


def test_sums_over_histories_as_a_product_are_those_of_the_rounded_table(monkeypatch):
    """As on a GPU, by the same code."""
    table, direction = normal(6, 20), normal(4, 20)
    plain_sums = of(lambda t: history_sum(HISTORIES, t), (table,), direction)
    monkeypatch.setattr("irisrec.models.histories._PRODUCT_FROM", {"cpu": 0.3})  # 8 of 24 places are filled
    with rounding(True):
        found = of(lambda t: history_sum(HISTORIES, t), (table,), direction)
    dense = torch.zeros(4, 6, dtype=torch.float64)
    dense[HISTORIES.owners, HISTORIES.items] = 1
    wanted = dense @ table.bfloat16().double(), dense.T @ direction.bfloat16().double()
    for ours, exact, others in zip(found, wanted, plain_sums, strict=True):
        assert ((ours.double() - exact).abs() <= HALF_UNIT * exact.abs() + 1e-6).all()
        assert not torch.equal(ours, others)


@pytest.mark.parametrize("why", ["few", "weights", "processor"])
def test_other_sums_over_histories_stay_as_they_are(monkeypatch, why):
    table, histories = normal(6, 20), HISTORIES
    if why == "few":
        monkeypatch.setattr("irisrec.models.histories._PRODUCT_FROM", {"cpu": 0.34})
    elif why == "weights":
        monkeypatch.setattr("irisrec.models.histories._PRODUCT_FROM", {"cpu": 0.0})
        histories = Histories(histories.items, histories.offsets, weights=torch.rand(len(histories.items)))
    with rounding(True):
        assert torch.equal(history_sum(histories, table), bag_sum(table, histories))


def test_towers_and_similarities_round_and_logits_of_the_same_outputs_do_not():
    model = build_model(
        ModelConfig(name="multimodal-iris", dim=8, hidden=16, init_std=1.0),
        20,
        {m: normal(20, 12) for m in ("image", "text")},
        {m: torch.ones(20, dtype=torch.bool) for m in ("image", "text")},
    )
    every = torch.arange(20)
    exact = model.pair_block(every, None)
    outputs = model.item_tables(None).outputs
    with rounding(True):
        block, rounded = model.pair_block(every, None), model.item_tables(None)
        a, b = model.attention.sides(outputs, outputs)
    assert torch.equal(block.similarity, rounded_product(model.history_factors, model.candidate_factors.T))
    assert not torch.equal(block.similarity, exact.similarity)
    for name, y in rounded.outputs.items():
        assert not torch.equal(y, outputs[name])
        torch.testing.assert_close(
            y, outputs[name], rtol=0, atol=8 * HALF_UNIT * float(outputs[name].detach().abs().max())
        )
    assert all(map(torch.equal, (a, b), model.attention.sides(outputs, outputs)))
