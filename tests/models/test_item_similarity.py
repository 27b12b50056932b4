"""The block form equals the equations: every model, every awkward history, values and gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from irisrec.models import pair_kernel
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.features import masked, replaced
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.options import unused
from irisrec.models.pair_kernel import fused
from irisrec.models.prepared import prepared
from irisrec.native.library import compiler
from tests.models.literal import literal_scores

N = 13
WIDTHS = {"image": 7, "text": 5, "audio": 3}
HISTORIES = [[0, 1, 2, 3, 4], [5], [], [2, 7, 11, 12], [12], list(range(N)), [3, 9]]
MODELS = {
    "fism": {"name": "fism"},
    "nais": {"name": "nais"},
    "nais-product": {"name": "nais", "attention": "product"},
    "image-iris": {"name": "image-iris"},
    "text-iris": {"name": "text-iris"},
    "image-add-text-iris": {"name": "image-add-text-iris"},
    "multimodal-iris": {"name": "multimodal-iris", "modalities": ("image", "text")},
    "three-modalities": {"name": "multimodal-iris"},
    "content-factors": {"name": "multimodal-iris", "content_factors": True},
    "text-already-of-hidden-width": {"name": "multimodal-iris", "hidden": WIDTHS["text"]},
}


def content(missing: bool = True, seed: int = 1) -> tuple[dict, dict]:
    rng = np.random.default_rng(seed)
    present = {m: torch.from_numpy(rng.random(N) < (0.7 if missing else 2)) for m in WIDTHS}
    features = {m: torch.from_numpy(rng.normal(size=(N, w))) * present[m][:, None] for m, w in WIDTHS.items()}
    return features, present


def make(scale: float = 1.0, missing: bool = True, **options) -> ItemSimilarity:
    options = {"dim": 4, "hidden": 6, **options}
    config = ModelConfig(**{o: v for o, v in options.items() if o not in unused(options["name"], options)})
    features, present = content(missing)
    model = build_model(config, N, features, present).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # weights large enough that every term matters, biases included
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.7)
        if model.attention is not None:
            model.attention.output.mul_(scale)
    return model


def gradients(
    model: ItemSimilarity, scores: torch.Tensor, drawn_as: torch.dtype | None = None
) -> dict[str, torch.Tensor]:
    model.zero_grad()
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(scores.shape, generator=generator, dtype=drawn_as or scores.dtype)
    (scores * weight.to(scores)).sum().backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
    }


def assert_same(model: ItemSimilarity, candidates: list[int] | None = None) -> None:
    columns = list(range(N)) if candidates is None else candidates
    ours = model.score(Histories.of(HISTORIES), None if candidates is None else torch.tensor(candidates))
    theirs = literal_scores(model, HISTORIES, columns)
    assert torch.isfinite(ours).all()
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    expected = gradients(model, theirs)
    for name, gradient in gradients(model, ours).items():
        size = max(float(expected[name].abs().max()), 1.0)
        torch.testing.assert_close(gradient / size, expected[name] / size, rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("beta", [1.0, 0.8, 0.3])
def test_scores_and_gradients_equal_the_equations(options, beta):
    assert_same(make(**options, beta=beta))


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_history_length_exponent_and_activations_equal_the_equations(options):
    for alpha, activation in [(0.5, "sigmoid"), (1.0, "tanh"), (0.3, "relu")]:
        assert_same(make(**options, alpha=alpha, activation=activation))


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_some_candidates_score_as_all_do(options):
    assert_same(make(**options, alpha=0.5), candidates=[1, 5, 12])


@pytest.mark.parametrize("options", [m for k, m in MODELS.items() if k != "fism"])
@pytest.mark.parametrize("beta", [1.0, 0.8])
def test_logits_of_a_thousand_do_not_overflow(options, beta):
    model = make(**options, beta=beta)
    with torch.no_grad():
        g = model.pair_block(torch.arange(N), None).logits
        model.attention.output.mul_(1000 / g.abs().max())
        g = model.pair_block(torch.arange(N), None).logits
        assert g.abs().max() > 999
    assert_same(model)


def test_logits_of_a_thousand_stay_finite_in_single_precision():
    model = make(name="multimodal-iris", scale=1.0).float()
    with torch.no_grad():
        model.attention.output.mul_(1000 / model.pair_block(torch.arange(N), None).logits.abs().max())
    scores = model.score(Histories.of(HISTORIES))
    assert torch.isfinite(scores).all()
    assert all(torch.isfinite(g).all() for g in gradients(model, scores).values())


def test_users_far_apart_in_one_column_keep_their_own_softmax():
    """A column's maximum comes from one user's history; another's may lie 1,000 below and must not vanish."""
    model = make(name="nais", beta=1.0, dim=1)
    with torch.no_grad():
        model.attention.output.fill_(1.0)
        model.attention.history["latent"].weight.fill_(1.0)
        model.attention.candidate["latent"].weight.fill_(0.0)
        model.attention.bias.fill_(2000.0)
        model.history_factors.copy_(torch.linspace(-1000, 1000, N, dtype=torch.float64)[:, None])
        model.candidate_factors.fill_(1.0)
        model.bias.zero_()
    scores = model.score(Histories.of([[0], [N - 1], [0, N - 1]]), torch.tensor([5]))
    torch.testing.assert_close(scores[:, 0], torch.tensor([-1000.0, 1000.0, 1000.0], dtype=torch.float64))


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_contributions_and_bias_sum_to_the_score(options):
    model = make(**options, alpha=0.4)
    for history in HISTORIES:
        reasons = model.reasons(torch.tensor(history, dtype=torch.int64), torch.arange(N))
        total = reasons.contribution.sum(0) + reasons.bias
        torch.testing.assert_close(
            total, model.score(Histories.of([history]))[0].detach(), rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_one_user_scores_as_in_a_batch_and_in_a_ranking(options):
    model = make(**options, alpha=0.5)
    together = model.score(Histories.of(HISTORIES)).detach()
    alone = torch.cat([model.score(Histories.of([h])) for h in HISTORIES]).detach()
    ranked = torch.cat(list(model.rank_scores(Histories.of(HISTORIES), batch=3)))
    torch.testing.assert_close(alone, together, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(ranked, together, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("limit", [0, N * N], ids=["pairs anew", "pairs kept"])
def test_a_prepared_model_gives_the_same_scores_and_reasons(options, limit):
    model = make(**options, alpha=0.5)
    ready, columns = prepared(model, limit), torch.tensor([1, 5, 12])
    assert (ready.pairs is not None) == bool(limit)
    with torch.no_grad():
        for candidates in (None, columns):
            expected = model.score(Histories.of(HISTORIES), candidates)
            torch.testing.assert_close(ready.score(Histories.of(HISTORIES), candidates), expected)
        for history in map(torch.tensor, (h for h in HISTORIES if h)):
            theirs, ours = model.reasons(history, columns), ready.reasons(history, columns)
            for name in ("relevance", "similarity", "contribution", "bias"):
                torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), msg=name)


def test_with_all_pairs_kept_a_user_scores_the_same_to_the_bit_in_any_company():
    ready = prepared(make(name="multimodal-iris", alpha=0.5).float())
    together = ready.score(Histories.of(HISTORIES))
    assert all(
        torch.equal(ready.score(Histories.of([h]))[0], row)
        for h, row in zip(HISTORIES, together, strict=True)
    )


def weighted(histories: list[list[int]], weights: list[list[float]]) -> Histories:
    flat = torch.tensor([w for ws in weights for w in ws], dtype=torch.float64)
    return replace(Histories.of(histories), weights=flat)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("limit", [0, N * N], ids=["pairs anew", "pairs kept"])
def test_an_item_of_weight_n_counts_as_n_copies_of_it(options, limit):
    model = make(**options, alpha=0.5)
    copies = [[1 + (i + h) % 3 for i in range(len(items))] for h, items in enumerate(HISTORIES)]
    repeated = [
        [item for item, n in zip(items, ns, strict=True) for _ in range(n)]
        for items, ns in zip(HISTORIES, copies, strict=True)
    ]
    expected = literal_scores(model, repeated, list(range(N)))
    for scorer in (model, prepared(model, limit)):
        scores = scorer.score(weighted(HISTORIES, copies))
        torch.testing.assert_close(scores, expected, rtol=1e-9, atol=1e-9)
        for items, ns, row in zip(HISTORIES, copies, expected, strict=True):
            counts = torch.tensor(ns, dtype=torch.float64)
            reasons = scorer.reasons(torch.tensor(items, dtype=torch.int64), torch.arange(N), counts)
            torch.testing.assert_close(reasons.contribution.sum(0) + reasons.bias, row, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_an_item_of_weight_zero_counts_as_absent_and_of_half_as_half(options):
    model = make(**options, alpha=1.0, beta=1.0)
    whole, with_zero = model.score(Histories.of([[2, 7]])), model.score(weighted([[2, 5, 7]], [[1, 0, 1]]))
    others = [j for j in range(N) if j != 5]  # as a candidate it is still not its own history
    torch.testing.assert_close(with_zero[:, others], whole[:, others])
    halves = model.score(weighted([[2, 7]], [[0.5, 0.5]]))
    if model.attention is None:  # a mean does not change when everything counts half
        torch.testing.assert_close(halves, whole)
    else:  # β = 1 is a mean of its own, and |H|^-α is left
        torch.testing.assert_close(halves - model.bias, 2 * (whole - model.bias))


def test_weights_reach_logits_that_lie_too_far_apart_for_one_maximum():
    model = make(name="nais", beta=1.0)
    with torch.no_grad():
        model.attention.output.mul_(3000 / model.pair_block(torch.arange(N), None).logits.abs().max())
    scores = model.score(weighted([[0, 3, 9]], [[2, 1, 3]]))
    torch.testing.assert_close(scores, literal_scores(model, [[0, 0, 3, 9, 9, 9]], list(range(N))))


@pytest.mark.parametrize(("kept", "gone"), [("image", "text"), ("text", "image")])
def test_a_modality_missing_everywhere_leaves_the_single_modality_model(kept, gone):
    """The paper's claim about absent data, exact here because absence is a mask."""
    features, present = content(missing=True)
    present[gone] = torch.zeros(N, dtype=torch.bool)
    options = {"dim": 4, "hidden": 6}
    both = build_model(
        ModelConfig(name="multimodal-iris", modalities=("image", "text"), **options), N, features, present
    ).double()
    with torch.no_grad():
        for parameter in both.parameters():
            parameter.normal_(0, 0.7)
    single = build_model(ModelConfig(name=f"{kept}-iris", **options), N, features, present).double()
    weights = {name: value for name, value in both.state_dict().items() if name in single.state_dict()}
    single.load_state_dict(weights)
    histories = Histories.of(HISTORIES)
    torch.testing.assert_close(both.score(histories), single.score(histories), rtol=1e-12, atol=1e-12)
    joined = make(name="multimodal-iris", modalities=("image", "text"))
    assert not torch.allclose(joined.score(histories), single.score(histories)), (
        "the unit must matter otherwise"
    )


def test_values_of_an_absent_modality_never_matter():
    features, present = content()
    model = build_model(ModelConfig(name="multimodal-iris", dim=4, hidden=6), N, features, present)
    features = {
        m: torch.where(present[m][:, None], x, torch.tensor(9e9, dtype=x.dtype)) for m, x in features.items()
    }
    other = build_model(ModelConfig(name="multimodal-iris", dim=4, hidden=6), N, features, present)
    histories = Histories.of(HISTORIES)
    assert torch.equal(model.double().score(histories), other.double().score(histories))


@pytest.mark.parametrize("content_factors", [False, True])
def test_a_masked_modality_is_one_that_the_items_never_had(content_factors):
    options = {"dim": 4, "hidden": 6, "feature_scaling": "none", "content_factors": content_factors}
    config = ModelConfig(name="multimodal-iris", **options)
    features, present = content()
    kept = {m: torch.arange(N) % 3 > place for place, m in enumerate(WIDTHS)}
    del kept["audio"]
    model = build_model(config, N, features, present).double()
    never = build_model(config, N, features, present | {m: present[m] & kept[m] for m in kept}).double()
    never.load_state_dict(model.state_dict())
    histories = Histories.of(HISTORIES)
    whole = model.score(histories)
    with replaced(model, masked(model, kept)):
        torch.testing.assert_close(model.score(histories), never.score(histories), rtol=1e-12, atol=1e-12)
        assert not torch.allclose(model.score(histories), whole)
    assert torch.equal(model.score(histories), whole)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_fused_and_chunked_pair_kernels_agree_on_a_gpu(activation, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    monkeypatch.setattr(pair_kernel, "_FUSED_FROM", 2)
    model = make(name="multimodal-iris", activation=activation).to("cuda")
    histories = Histories.of(HISTORIES).to("cuda")
    chunked = model.score(histories)
    expected = gradients(model, chunked)
    with fused():
        scores = model.score(histories)
        torch.testing.assert_close(scores, chunked, rtol=1e-12, atol=1e-12)
        for name, gradient in gradients(model, scores).items():
            torch.testing.assert_close(gradient, expected[name], rtol=1e-10, atol=1e-12)


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")
@pytest.mark.parametrize("candidates", [None, [0, 3, 5, 12]])
@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_compiled_scores_and_gradients_are_the_equations(options, activation, candidates, monkeypatch):
    monkeypatch.setattr("irisrec.native.choice._FEW", 0)
    model = make(**options, activation=activation, alpha=0.5)
    histories = Histories.of(HISTORIES)
    columns = list(range(N)) if candidates is None else candidates
    exact = literal_scores(model, HISTORIES, columns)
    wanted = gradients(model, exact)
    with fused():
        scores = model.float().score(histories, None if candidates is None else torch.tensor(candidates))
        found = gradients(model, scores, drawn_as=exact.dtype)
    torch.testing.assert_close(scores.double(), exact, rtol=1e-4, atol=1e-4)
    for name, gradient in found.items():
        close = 1e-4 * max(1.0, float(wanted[name].abs().max()))
        torch.testing.assert_close(gradient.double(), wanted[name].double(), rtol=1e-3, atol=close, msg=name)


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")
def test_compiled_scores_leave_logits_far_apart_to_each_users_own_softmax(monkeypatch):
    monkeypatch.setattr("irisrec.native.choice._FEW", 0)
    model = make(name="multimodal-iris").float()
    histories = Histories.of(HISTORIES)
    with torch.no_grad():
        model.attention.output.mul_(300 / model.pair_block(torch.arange(N), None).logits.abs().max())
        with fused(False):
            wanted = model.score(histories)
        with fused():
            found = model.score(histories)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


@pytest.mark.parametrize("left", [10**3, 10**12])
@pytest.mark.parametrize("options", [MODELS["nais"], MODELS["content-factors"]])
def test_scores_in_blocks_are_those_of_the_whole_whatever_memory_is_left(options, left, monkeypatch):
    model = make(**options, alpha=0.5)
    histories = Histories.of(HISTORIES)
    whole = model.score(histories)
    monkeypatch.setattr("irisrec.budget.bytes_left", lambda: left)
    monkeypatch.setattr("irisrec.models.item_similarity._FEW", 4)
    torch.testing.assert_close(torch.cat(list(model.rank_scores(histories, batch=3))), whole)
    served = prepared(model, limit=0)
    torch.testing.assert_close(served.score(histories), whole)
    some = torch.tensor([0, 2, 5, 6, 9, 11, 12])
    torch.testing.assert_close(served.score(histories, some), whole[:, some])
