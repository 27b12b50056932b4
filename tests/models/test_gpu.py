"""Every model on a GPU: the same scores and gradients as on the CPU, training, resuming, ranking, reasons."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories, history_sum
from irisrec.models.options import unused
from irisrec.models.pair_kernel import fused, pair_logits
from irisrec.models.products import linear, rounding
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

N_ITEMS, N_USERS = 60, 90
GRADIENT_MODELS = [
    "fism", "nais", "image-iris", "text-iris", "image-add-text-iris", "multimodal-iris",
    "vbpr", "gmf", "mlp", "neumf", "lightgcn", "freedom",
]  # fmt: skip


@pytest.fixture
def train() -> csr_matrix:
    rng = np.random.default_rng(0)
    return csr_matrix((rng.random((N_USERS, N_ITEMS)) < 0.15).astype(np.float32))


def model_of(name: str, **options):
    rng = np.random.default_rng(1)
    values = {
        m: torch.from_numpy(rng.normal(size=(N_ITEMS, w)).astype(np.float32)) for m, w in WIDTHS.items()
    }
    present = {m: torch.from_numpy(rng.random(N_ITEMS) < 0.9) for m in WIDTHS}
    options = {"name": name, "dim": 8, "hidden": 8, **options}
    options = {o: v for o, v in options.items() if o not in unused(name, options)}
    return build_model(ModelConfig(**options), N_ITEMS, values, present, n_users=N_USERS)


WIDTHS = {"image": 12, "text": 7}


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shape", [(37, 70, 16), (300, 515, 64)])
def test_the_pair_kernel_and_its_gradients_are_those_of_the_definition(activation, compiled, shape):
    n_rows, n_columns, dim = shape
    generator = torch.Generator().manual_seed(3)
    shapes = ((n_rows, dim), (n_columns, dim), (dim,))
    a, b, h = (torch.randn(*s, generator=generator).cuda().requires_grad_() for s in shapes)
    weights = torch.randn(n_rows, n_columns, generator=generator).cuda()
    with fused(compiled) as is_compiled:
        assert is_compiled is compiled
        g = pair_logits(a, b, h, activation)
        found = [g, *torch.autograd.grad(g, [a, b, h], weights)]
    a2, b2, h2 = (x.detach().double().requires_grad_() for x in (a, b, h))
    f = getattr(torch, activation)
    plain = f(a2[:, None] + b2[None]) @ h2
    expected = [plain, *torch.autograd.grad(plain, [a2, b2, h2], weights.double())]
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= 2e-6 * other.norm()


def test_sums_over_histories_and_their_gradients_are_those_of_the_cpu(train):
    histories = Histories.from_matrix(train)
    table = torch.randn(N_ITEMS, 33, generator=torch.Generator().manual_seed(4))
    found = {}
    for device in ("cpu", "cuda"):
        here = table.detach().to(device).requires_grad_()
        sums = history_sum(histories.to(device), here)
        found[device] = sums.cpu(), torch.autograd.grad(sums.square().sum(), here)[0].cpu()
    for one, other in zip(found["cpu"], found["cuda"], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("negatives", ["all", "shared", "sampled"])
@pytest.mark.parametrize("loss", ["log", "bpr"])
@pytest.mark.parametrize("name", GRADIENT_MODELS)
def test_training_takes_the_same_way_as_on_the_cpu(name, loss, negatives, train):
    losses, scores = {}, {}
    for device in ("cpu", "cuda"):
        model = model_of(name)
        config = TrainingConfig(
            epochs=2,
            batch_users=40,
            device=device,
            loss=loss,
            negatives=negatives,
            n_shared=20,
            patience=0,
            seed=5,
        )
        losses[device] = [float(epoch["loss"]) for epoch in fit(model, train, config).epochs]
        histories = Histories.from_matrix(train).to(device)
        scores[device] = torch.cat(list(model.rank_scores(histories))).cpu()
    # rounding alone sets the two apart; in two epochs it grows to no more than this
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=2e-3)
    assert torch.corrcoef(torch.stack([scores["cpu"].flatten(), scores["cuda"].flatten()]))[0, 1] > 0.999


@pytest.mark.parametrize(
    "options",
    [{"ridge": 5.0}, {"ridge": 5.0, "ridge_content": {"text": 2.0}}, {"content_factors": True}],
)
def test_what_goes_beyond_the_paper_trains_there_too(options, train):
    losses = {}
    for device in ("cpu", "cuda"):
        model = model_of("multimodal-iris", **options)
        config = TrainingConfig(epochs=2, batch_users=40, device=device, history_dropout=0.3, patience=0)
        losses[device] = [float(epoch["loss"]) for epoch in fit(model, train, config).epochs]
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=2e-3)


def test_reasons_sum_to_the_score_on_the_gpu(train):
    model = model_of("multimodal-iris")
    fit(model, train, TrainingConfig(epochs=1, device="cuda", patience=0))
    history = Histories.from_matrix(train).part(0, 1).to("cuda")
    candidates = torch.arange(N_ITEMS, device="cuda")
    reasons = model.reasons(history.items, candidates)
    torch.testing.assert_close(
        reasons.contribution.sum(0) + reasons.bias, model.score(history, candidates)[0], rtol=1e-4, atol=1e-5
    )


def test_a_training_that_was_interrupted_goes_on_on_the_gpu(train, tmp_path):
    config = TrainingConfig(epochs=4, batch_users=40, device="cuda", patience=0)
    whole = model_of("multimodal-iris")
    fit(whole, train, config)

    class KilledError(Exception):
        pass

    def kill(progress):
        if progress.epoch == 2:
            raise KilledError

    checkpoint = tmp_path / "checkpoint.safetensors"
    resumed = model_of("multimodal-iris")
    with pytest.raises(KilledError):
        fit(resumed, train, config, checkpoint=checkpoint, after_epoch=kill)
    resumed = model_of("multimodal-iris")
    fit(resumed, train, config, checkpoint=checkpoint)
    for name, weights in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weights, rtol=1e-3, atol=1e-4)


def test_rounded_products_have_float32_sums():
    """Results are not rounded once more: exact, of the rounded inputs, but for the order of float32 sums."""
    generator = torch.Generator().manual_seed(4)
    x, weight = (torch.randn(n, 70, generator=generator) for n in (90, 50))
    had = Histories.of([range(0, 90, 2), [], range(40)])
    with rounding(True):
        product = linear(x.cuda(), weight.cuda()).cpu()
        sums = history_sum(had.to("cuda"), x.cuda()).cpu()
    dense = had.dense(90).double()
    torch.testing.assert_close(
        product.double(), x.bfloat16().double() @ weight.bfloat16().double().T, rtol=1e-5, atol=1e-4
    )
    torch.testing.assert_close(sums.double(), dense @ x.bfloat16().double(), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["nais", "multimodal-iris"])
def test_training_in_bfloat16_stays_near_training_in_float32(name, train):
    losses = []
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        config = TrainingConfig(epochs=3, batch_users=30, patience=0, precision=precision)
        losses.append([epoch["loss"] for epoch in fit(model_of(name), train, config).epochs])
    assert losses[0] != losses[1]
    np.testing.assert_allclose(*losses, rtol=2.0**-6)
