"""The compiled functions against the tables of pairs in double precision, on shapes of every kind."""

import pytest
import torch

from irisrec.models.attended import attended_scores
from irisrec.models.histories import Histories, bag_sum
from irisrec.models.item_tables import Part
from irisrec.models.pair_block import PairBlock, same_items
from irisrec.models.pair_kernel import expand, fused, pair_logits
from irisrec.models.products import rounding
from irisrec.native.library import compiler
from irisrec.native.lists import Lists

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")

SHAPES = {  # rows, columns, hidden units, factors, users
    "one pair": (1, 1, 1, 1, 1),
    "one row": (1, 70, 3, 5, 4),
    "less than a panel": (5, 9, 16, 16, 6),
    "a group and one, a panel and one": (25, 65, 17, 64, 7),
    "whole panels": (48, 128, 64, 64, 20),
    "wide": (130, 201, 130, 40, 33),
    "many": (260, 700, 20, 96, 50),
}


@pytest.fixture(autouse=True)
def _on_any_amount_of_work(monkeypatch):
    monkeypatch.setattr("irisrec.native.choice._FEW", 0)
    monkeypatch.setattr("irisrec.native.threads._FEW", 0)
    monkeypatch.setattr("irisrec.models.histories._COLUMNS_OF_A_THREAD", 0)


def made(name, weighted, scale=1.0):
    """Return sides, factors, item rows, histories (the first one empty), and how the columns are the rows' items."""
    R, C, D, K, B = SHAPES[name]
    generator = torch.Generator().manual_seed(R)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    sides = scale * normal(R, D), scale * normal(C, D), normal(D)
    factors = normal(R, K), normal(C, K)
    items = torch.randperm(2 * C + R, generator=generator)[: max(R, C)].sort().values
    rows, columns = items[-R:], items[:C]
    had = torch.rand(B, R, generator=generator) < 0.3
    had[0] = False
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), had.sum(1).cumsum(0)])
    n = int(offsets[-1])
    weights = torch.rand(n, generator=generator) + 0.5 if weighted else None
    histories = Histories(had.nonzero()[:, 1], offsets, weights=weights)
    return sides, factors, rows, columns, histories


def block_of(sides, factors, rows, columns, beta):
    logits, similarity = pair_logits(*sides), factors[0] @ factors[1].T
    return PairBlock(logits, similarity, same_items(rows, columns), alpha=0.0, beta=beta)


def doubled(tensors):
    return [x.double().requires_grad_() for x in tensors]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("beta", [0.8, 1.0])
@pytest.mark.parametrize("name", SHAPES)
def test_scores_and_gradients_are_those_of_the_table_of_pairs(name, beta, weighted):
    sides, factors, rows, columns, histories = made(name, weighted, scale=0.5)
    exact_sides, exact_factors = doubled(sides), doubled(factors)
    expected = block_of(exact_sides, exact_factors, rows, columns, beta).scores(histories)
    leaves = [x.requires_grad_() for x in (*sides, *factors)]
    with fused():
        scores = attended_scores(tuple(leaves[:3]), tuple(leaves[3:]), (rows, columns), histories, beta)
        direction = torch.randn(scores.shape, generator=torch.Generator().manual_seed(1))
        gradients = torch.autograd.grad(scores, leaves, direction)
    torch.testing.assert_close(
        scores.double(), expected, rtol=2e-5, atol=2e-5 * float(expected.detach().abs().max())
    )
    exact = torch.autograd.grad(expected, exact_sides + exact_factors, direction.double())
    for found, wanted in zip(gradients, exact, strict=True):
        close = 2e-5 * max(float(wanted.abs().max()), 0.1)
        torch.testing.assert_close(found.double(), wanted, rtol=2e-5, atol=close)


@pytest.mark.parametrize("name", SHAPES)
def test_rounded_similarities_have_sums_and_gradients_of_float32(name):
    """Only p and q are rounded: of the rounded ones all is as near to double precision as without rounding."""
    sides, factors, rows, columns, histories = made(name, weighted=True, scale=0.5)
    leaves = [x.requires_grad_() for x in (*sides, *factors)]
    found = {}
    for wanted in (False, True):
        with fused(), rounding(wanted):
            scores = attended_scores(tuple(leaves[:3]), tuple(leaves[3:]), (rows, columns), histories, 0.8)
            direction = torch.randn(scores.shape, generator=torch.Generator().manual_seed(1))
            found[wanted] = scores.detach(), *torch.autograd.grad(scores, leaves, direction)
    exact_sides, exact_factors = doubled(sides), doubled([x.bfloat16() for x in factors])
    scores = block_of(exact_sides, exact_factors, rows, columns, 0.8).scores(histories)
    exact = scores.detach(), *torch.autograd.grad(scores, exact_sides + exact_factors, direction.double())
    for ours, wanted in zip(found[True], exact, strict=True):
        close = 2e-5 * max(float(wanted.abs().max()), 0.1)
        torch.testing.assert_close(ours.double(), wanted, rtol=2e-5, atol=close)
    # each factor moves by 2^-8, so a similarity by 2^-7 of the products that it is the sum of, and a sum of them too
    _, (p, q), *_ = made(name, weighted=True, scale=0.5)
    sizes = block_of(sides, (p.abs(), q.abs()), rows, columns, 0.8).scores(histories)
    assert ((found[True][0] - found[False][0]).abs() <= 2.0**-7 * 1.01 * sizes.detach() + 1e-5).all()
    if float(scores.detach().abs().max()):
        assert not torch.equal(found[True][0], found[False][0])


@pytest.mark.parametrize("name", SHAPES)
def test_rows_of_leaves_give_the_scores_of_the_rows_and_gather_their_gradients_in_place(name):
    sides, factors, rows, columns, histories = made(name, weighted=False, scale=0.5)
    generator = torch.Generator().manual_seed(2)
    *tables, h = [x.requires_grad_() for x in (sides[0], sides[1], *factors, sides[2])]
    places = [torch.randperm(len(x) + 9, generator=generator)[: len(x)] for x in tables]
    leaves = [
        torch.full((len(x) + 9, x.shape[1]), torch.nan).index_copy(0, at, x.detach()).requires_grad_()
        for x, at in zip(tables, places, strict=True)
    ]
    before = [torch.randn(x.shape, generator=generator) for x in leaves]
    for leaf, gradient in zip(leaves, before, strict=True):
        leaf.grad = gradient.clone()
    a, b, p, q = (Part(leaf, at) for leaf, at in zip(leaves, places, strict=True))
    same = (rows, columns), histories, 0.8
    with fused():
        wanted = attended_scores((tables[0], tables[1], h), (tables[2], tables[3]), *same)
        direction = torch.randn(wanted.shape, generator=generator)
        *gradients, of_h = torch.autograd.grad(wanted, (*tables, h), direction)
        scores = attended_scores((a, b, h), (p, q), *same)
        scores.backward(direction)
    assert torch.equal(scores, wanted)
    assert torch.equal(h.grad, of_h)
    for leaf, at, old, gradient in zip(leaves, places, before, gradients, strict=True):
        # a multiply-add rounds once, where a product and a sum round twice
        close = 2e-7 * float(gradient.abs().max())
        torch.testing.assert_close(leaf.grad, old.index_add(0, at, gradient), rtol=3e-7, atol=close)


@pytest.mark.parametrize("name", SHAPES)
def test_logits_are_those_of_all_pairs(name):
    sides, *_ = made(name, weighted=False)
    with fused():
        found = expand(*sides, torch.relu)
    a, b, h = (x.double() for x in sides)
    wanted = torch.relu(a[:, None] + b) @ h
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_sums_over_histories_are_those_of_a_dense_product(name, weighted):
    _, (_, q), rows, _, histories = made(name, weighted)
    table = q[: len(rows)] if len(q) >= len(rows) else q.repeat(len(rows), 1)[: len(rows)]
    dense = torch.zeros(len(histories), len(rows), dtype=torch.float64)
    weights = 1.0 if histories.weights is None else histories.weights.double()
    dense[histories.owners, histories.items] = weights
    with fused():
        found = bag_sum(table, histories).double()
    torch.testing.assert_close(found, dense @ table.double(), rtol=1e-5, atol=1e-4)


def test_a_user_has_the_same_sums_in_any_company_to_the_bit():
    _, (p, _), _, _, histories = made("many", weighted=False)
    with fused(False):
        apart = torch.cat([bag_sum(p, histories.part(u, u + 1)) for u in range(len(histories))])
    with fused():
        assert torch.equal(bag_sum(p, histories), apart)


def test_turned_lists_are_the_transposed_histories():
    from irisrec.native.library import compiling, library

    *_, histories = made("many", weighted=True)
    with compiling(True):
        lists = Lists.of(histories.items, histories.offsets, histories.weights).turned(library(), 260)
    wanted = histories.transposed(260)
    assert torch.equal(lists.items.long(), wanted.items)
    assert torch.equal(lists.offsets, wanted.offsets)
    assert torch.equal(lists.weights, wanted.weights)


def of_one_column(logits, history):
    """Return the score of one user for one candidate whose logits are these, similarities 1, with β = 1/2."""
    n = len(logits)
    sides = -logits[:, None], torch.zeros(1, 1), -torch.ones(1)
    factors = torch.ones(n, 1), torch.ones(1, 1)
    with fused():
        scores = attended_scores(
            sides, factors, (torch.arange(n), torch.tensor([n])), Histories.of([history]), 0.5
        )
    return None if scores is None else float(scores)


@pytest.mark.parametrize("low", [0.0, -1.0, -10.0, -40.0, -79.9])
def test_exponentials_are_exact_to_rounding_down_to_the_lowest_safe_logit(low):
    logits = torch.linspace(low, 0.0, 11)
    for history in ([0], [0, 3], list(range(11))):
        kept = logits.double()[history]
        wanted = float(kept.exp().sum() ** 0.5)
        assert of_one_column(logits, history) == pytest.approx(
            wanted, rel=4e-6
        )  # of e^80: of the exponent's rounding


def test_logits_too_far_apart_are_left_to_each_users_own_maximum():
    assert of_one_column(torch.tensor([-80.5, 0.0]), [0]) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_left_to_the_table_of_pairs(value):
    assert of_one_column(torch.tensor([value, 0.0, 1.0]), [1, 2]) is None


def test_any_number_of_threads_gives_the_same_numbers():
    sides, factors, rows, columns, histories = made("many", weighted=False, scale=0.5)
    leaves = [x.requires_grad_() for x in (*sides, *factors)]
    before, found = torch.get_num_threads(), []
    try:
        for n in (1, 2, 5):
            torch.set_num_threads(n)
            with fused():
                scores = attended_scores(
                    tuple(leaves[:3]), tuple(leaves[3:]), (rows, columns), histories, 0.8
                )
                found.append((scores, *torch.autograd.grad(scores.square().sum(), leaves)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


def test_double_precision_and_little_work_never_ask_for_the_library(monkeypatch):
    monkeypatch.setattr("irisrec.native.choice.library", lambda worth_compiling: pytest.fail("asked"))
    sides, factors, rows, columns, histories = made("less than a panel", weighted=False)
    same = rows, columns
    exact = [x.double() for x in (*sides, *factors)]
    assert attended_scores(tuple(exact[:3]), tuple(exact[3:]), same, histories, 0.8) is None
    monkeypatch.setattr("irisrec.native.choice._FEW", 1e6)
    assert attended_scores(sides, factors, same, histories, 0.8) is None
