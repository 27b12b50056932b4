"""training.precision: what it changes, where it is refused, and that judging never sees it."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import TrainingError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.products import is_rounding
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit
from irisrec.training.precision import precision_of, processor_flags

N_USERS, N_ITEMS = 30, 60
TRAIN = csr_matrix(np.random.default_rng(1).random((N_USERS, N_ITEMS)) < 0.1, dtype=np.float32)
CPU, GPU = torch.device("cpu"), torch.device("cuda")


def make(name="multimodal-iris"):
    generator = torch.Generator().manual_seed(2)
    features = {m: torch.randn(N_ITEMS, 5, generator=generator) for m in ("image", "text")}
    present = {m: torch.ones(N_ITEMS, dtype=torch.bool) for m in features}
    more = {"hidden": 6} if "iris" in name else {}
    return build_model(ModelConfig(name=name, dim=4, **more), N_ITEMS, features, present, 3, N_USERS)


@pytest.fixture
def processor(monkeypatch):
    """Give a processor other flags."""

    def with_flags(*flags):
        monkeypatch.setattr("irisrec.training.precision.processor_flags", lambda: set(flags))

    return with_flags


def trained(precision, name="multimodal-iris", **options):
    model = make(name)
    config = TrainingConfig(epochs=3, batch_users=10, patience=0, precision=precision, **options)
    return fit(model, TRAIN, config), model


@pytest.mark.parametrize("negatives", ["all", "shared"])
@pytest.mark.parametrize("name", ["nais", "multimodal-iris"])
def test_bfloat16_trains_nearly_the_same_weights_and_not_quite(name, negatives, processor, capsys):
    processor("avx512_bf16")
    options = {"negatives": negatives, "n_shared": 20}
    exact, plain = trained("float32", name, **options)
    assert "precision" not in capsys.readouterr().err
    rounded, model = trained("bfloat16", name, **options)
    assert "precision: the inputs of products are rounded to bfloat16" in capsys.readouterr().err
    assert (exact.precision, rounded.precision) == ("float32", "bfloat16")
    losses = np.array([[epoch["loss"] for epoch in p.epochs] for p in (exact, rounded)])
    assert not np.array_equal(*losses)
    np.testing.assert_allclose(*losses, rtol=2.0**-8)  # of eight bits
    for parameter in model.parameters():
        assert parameter.dtype == torch.float32
    assert not torch.equal(model.history_factors, plain.history_factors)


def test_validation_and_what_comes_after_are_not_rounded(processor):
    processor("bf16")
    seen = []

    def validate(model):
        seen.append(is_rounding())
        return {"ndcg@10": 0.0}

    fit(make(), TRAIN, TrainingConfig(epochs=2, precision="bfloat16"), validate)
    assert seen == [False, False]
    assert not is_rounding()


def test_auto_rounds_where_it_was_measured_to_be_faster(processor, monkeypatch, capsys):
    processor("sse2", "avx512f")
    assert precision_of("auto", make(), CPU) == "float32"
    assert trained("auto")[0].precision == "float32"
    assert "precision: the inputs of products are float32" in capsys.readouterr().err
    processor("sse2", "amx_bf16")
    assert precision_of("auto", make(), CPU) == "bfloat16"
    assert precision_of("auto", make("fism"), CPU) == "float32"
    assert precision_of("float32", make(), CPU) == "float32"
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: True)
    assert precision_of("auto", make(), GPU) == "float32"
    assert precision_of("bfloat16", make(), GPU) == "bfloat16"


@pytest.mark.parametrize("name", ["fism", "vbpr", "gmf", "lightgcn"])
def test_a_model_without_such_products_is_refused(name, processor):
    processor("avx512_bf16")
    with pytest.raises(
        TrainingError, match=r"has none of those that it rounds; set it to 'float32' or 'auto'"
    ):
        fit(make(name), TRAIN, TrainingConfig(precision="bfloat16"))


def test_where_it_would_be_imitated_or_weights_are_double_it_is_refused(processor, monkeypatch):
    processor("avx512f")
    with pytest.raises(
        TrainingError, match=r"precision = 'bfloat16'.* this processor has no instruction for it"
    ):
        precision_of("bfloat16", make(), CPU)
    processor("avx512_bf16")
    with pytest.raises(TrainingError, match=r"weights are torch.float64 here"):
        precision_of("bfloat16", make().double(), CPU)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "Old card")
    with pytest.raises(TrainingError, match=r"Old card has no instruction for it"):
        precision_of("bfloat16", make(), GPU)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr("torch.ops.aten.mm.overloads", lambda: ["default", "out"], raising=False)
    with pytest.raises(TrainingError, match=r"gives no sums in float32 for it on a GPU, as 2.8"):
        precision_of("bfloat16", make(), GPU)


def test_flags_are_read_where_the_system_tells_them(monkeypatch):
    told = "processor\t: 0\nflags\t\t: fpu AVX512_bf16\nbugs\t\t: amx_bf16\n\nFeatures\t: asimd bf16\n"
    monkeypatch.setattr("pathlib.Path.read_text", lambda path, encoding: told)
    assert processor_flags() == {"fpu", "avx512_bf16", "asimd", "bf16"}

    def missing(path, encoding):
        raise FileNotFoundError(path)

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert processor_flags() == set()
