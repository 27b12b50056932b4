import json
import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import RunError, TrainingError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.features import held_features, held_masks
from irisrec.models.histories import Histories
from irisrec.training.checkpoints import load_state
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import _Trainer, fit
from irisrec.training.losses import log_loss
from irisrec.training.negatives import expected_counts

N_USERS, N_ITEMS = 60, 24


def taste_world(seed: int = 0) -> csr_matrix:
    """Users of three tastes; each has most of the eight items of one taste."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(3, size=N_USERS)
    own = (np.arange(N_ITEMS) // 8)[None] == taste[:, None]
    return csr_matrix((rng.random((N_USERS, N_ITEMS)) < np.where(own, 0.7, 0.03)).astype(np.float32))


def make(name: str = "nais", seed: int = 0, **options):
    rng = np.random.default_rng(seed)
    features = {"image": torch.from_numpy(rng.normal(size=(N_ITEMS, 6)).astype(np.float32))}
    present = {"image": torch.ones(N_ITEMS, dtype=torch.bool)}
    if "iris" in name:
        options = {"hidden": 8, **options}
    return build_model(ModelConfig(name=name, dim=8, **options), N_ITEMS, features, present, seed, N_USERS)


def weights(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_equal(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize("name", ["fism", "nais", "image-iris"])
@pytest.mark.parametrize("negatives", ["all", "sampled"])
@pytest.mark.parametrize("loss", ["log", "squared", "bpr"])
def test_training_finds_the_tastes(name, negatives, loss):
    train = taste_world()
    model = make(name)
    epochs = 12 if loss == "squared" else 40  # it overfits soonest
    config = TrainingConfig(epochs=epochs, batch_users=20, negatives=negatives, learning_rate=0.03, loss=loss)
    progress = fit(model, train, config)
    losses = [record["loss"] for record in progress.epochs]
    assert losses[-1] < 0.6 * losses[0]
    scores = model.score(Histories.of([[0, 1, 2]]))[0]
    assert scores[3:8].min() > scores[8:].max(), "unseen items of the taste stand before all others"


def test_same_seed_same_weights_other_seed_other_weights():
    train = taste_world()
    config = TrainingConfig(epochs=3, batch_users=16)
    first, second, third = make(), make(), make(seed=1)
    for model in (first, second):
        fit(model, train, config)
    fit(third, train, config.model_copy(update={"seed": 1}))
    assert_equal(weights(first), weights(second))
    assert not torch.equal(first.history_factors, third.history_factors)


class Killed(BaseException):
    """Not an error that anything would handle."""


def killed_after(n_epochs: int, validate):
    """Validate so many epochs, whichever model they belong to, then die."""
    left = iter(range(n_epochs))

    def validate_or_die(model):
        if next(left, None) is None:
            raise Killed
        return validate(model)

    return validate_or_die


def hit(model) -> dict[str, float]:
    histories = Histories.from_matrix(taste_world()[:1])
    return {"ndcg@10": float(model.score(histories)[0, 2].detach())}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("image-iris", {}),
        ("image-iris", {"negatives": "sampled"}),
        ("image-iris", {"weight_decay": 0.1, "l2_embeddings": 1e-3}),
        ("image-iris", {"modality_dropout": 0.4}),
        ("lightgcn", {"loss": "bpr"}),
        ("freedom", {"loss": "bpr", "negatives": "sampled"}),
    ],
)
def test_resumed_after_any_epoch_ends_with_the_same_bits(tmp_path, name, options):
    train = taste_world()
    config = TrainingConfig(epochs=5, batch_users=16, patience=0, **options)

    def model():
        return make(name, **({"dropout": 0.2} if "iris" in name else {}))

    whole = model()
    fit(whole, train, config, hit)
    for stop in (1, 3):
        path = tmp_path / f"{stop}.safetensors"
        with pytest.raises(Killed):
            fit(model(), train, config, killed_after(stop, hit), path)
        assert load_state(path).progress.epoch == stop
        resumed = model()
        progress = fit(resumed, train, config, hit, path)
        assert [record["epoch"] for record in progress.epochs] == [1, 2, 3, 4, 5]
        assert_equal(weights(whole), weights(resumed))


@pytest.mark.parametrize("stop", [1, 3, 5, 6, 8])
def test_resumed_in_or_after_any_pretraining_ends_with_the_same_bits(tmp_path, stop):
    train, config, path = taste_world(), TrainingConfig(epochs=3, patience=0), tmp_path / "run.safetensors"
    whole, resumed = make("neumf"), make("neumf")
    fit(whole, train, config, hit)
    with pytest.raises(Killed):
        fit(make("neumf"), train, config, killed_after(stop, hit), path)
    files = ["run-gmf.safetensors", "run-mlp.safetensors", "run.safetensors"]
    assert sorted(file.name for file in tmp_path.iterdir()) == files[: -(-stop // 3)]
    progress = fit(resumed, train, config, hit, path)
    assert [record["epoch"] for record in progress.epochs] == [1, 2, 3]
    assert_equal(weights(whole), weights(resumed))


def test_time_of_fitting_counts_what_comes_before_and_not_validation(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr("time.process_time", lambda: 2 * now[0])

    def let_pass(seconds):
        now[0] += seconds

    monkeypatch.setattr(type(make("neumf")), "begin_training", lambda self, train, new: let_pass(100.0))
    for name in ("gmf", "mlp", "neumf"):
        monkeypatch.setattr(type(make(name)), "begin_epoch", lambda self, epoch: let_pass(1.0))

    def slowly(model):
        let_pass(10_000.0)
        return hit(model)

    train, config, path = taste_world(), TrainingConfig(epochs=3, patience=0), tmp_path / "run.safetensors"
    with pytest.raises(Killed):
        fit(make("neumf"), train, config, killed_after(7, slowly), path)
    progress = fit(make("neumf"), train, config, slowly, path)
    assert [record["seconds"] for record in progress.epochs] == [1.0, 1.0, 1.0]
    assert (progress.seconds, progress.cpu_seconds) == (309.0, 618.0)  # all three parts


def test_the_best_validation_epoch_is_kept_and_training_stops_early(tmp_path):
    values = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.9])
    seen = {}

    def validate(model):
        value = next(values)
        seen[value] = weights(model)
        return {"ndcg@10": value}

    model = make()
    progress = fit(
        model,
        taste_world(),
        TrainingConfig(epochs=6, batch_users=20, patience=2, schedule="constant"),
        validate,
    )
    assert (progress.best_epoch, progress.epoch) == (2, 4)
    assert_equal(weights(model), seen[0.5])
    assert not model.training


def test_the_last_epoch_is_kept_where_it_is_asked_for():
    values, seen = iter([0.3, 0.5, 0.4]), []

    def validate(model):
        seen.append(weights(model))
        return {"ndcg@10": next(values)}

    model = make()
    progress = fit(model, taste_world(), TrainingConfig(epochs=3, patience=0, keep="last"), validate)
    assert (progress.best_epoch, progress.best_value) == (3, 0.4)
    assert_equal(weights(model), seen[2])
    with pytest.raises(ValueError, match="got patience = 2 and keep = 'last'; set patience = 0"):
        TrainingConfig(patience=2, keep="last")


def test_epochs_between_validations_are_never_the_best():
    values = iter([0.3, 0.2])
    config = TrainingConfig(epochs=5, batch_users=20, validate_every=3)
    progress = fit(make(), taste_world(), config, lambda model: {"ndcg@10": next(values)})
    assert ["validation" in record for record in progress.epochs] == [False, False, True, False, True]
    assert (progress.best_epoch, progress.best_value) == (3, 0.3)


def test_patience_begins_when_the_learning_rate_has_stopped_rising():
    values = iter([0.5, 0.4, 0.3, 0.6] + [0.1] * 16)
    config = TrainingConfig(epochs=20, batch_users=20, patience=2)
    progress = fit(make(), taste_world(), config, lambda model: {"ndcg@10": next(values)})
    assert (progress.best_epoch, progress.epoch) == (4, 8), (
        "20 epochs rise for 6, then 2 without a better one"
    )


def test_what_history_dropout_leaves_out_still_counts_as_had():
    seen = {}

    train, config = taste_world(), TrainingConfig(history_dropout=0.5, batch_users=N_USERS)
    model = make()
    trainer = _Trainer(model, train, config, torch.device("cpu"))
    score = model.score
    model.score = lambda histories, candidates=None: score(seen.setdefault("known", histories), candidates)
    histories = Histories.from_matrix(train)
    generator = torch.Generator().manual_seed(0)
    loss, n_samples = trainer._backward(histories, generator)
    assert n_samples == 5 * len(histories.items)
    share = len(seen["known"].items) / len(histories.items)
    assert 0.4 < share < 0.6
    positive = histories.membership(None, N_ITEMS)
    counts = expected_counts(positive, 4, torch.ones(N_ITEMS))
    expected = log_loss(score(seen["known"]), positive, counts)
    assert loss == pytest.approx(float(expected.detach()) / n_samples)


def test_fit_score_fit_trains_in_training_mode():
    model = make("image-iris", dropout=0.5)
    fit(model, taste_world(), TrainingConfig(epochs=1))
    assert not model.training
    trainer = _Trainer(model, taste_world(), TrainingConfig(epochs=1), torch.device("cpu"))
    trainer._epoch(1)
    assert model.training


def test_l2_groups_are_those_of_equation_12():
    model = make("multimodal-iris")
    trainer = _Trainer(
        model,
        taste_world(),
        TrainingConfig(l2_embeddings=2.0, l2_attention=3.0, l2_towers=5.0),
        torch.device("cpu"),
    )
    irn, towers = model.attention, model.towers
    expected = 2 * (model.history_factors.square().sum() + model.candidate_factors.square().sum())
    expected += 3 * (
        irn.history["image"].weight.square().sum() + irn.candidate["image"].weight.square().sum()
    )
    expected += 5 * sum(
        layer.weight.square().sum() for layer in (towers.projections["image"], towers.outputs["image"])
    )
    torch.testing.assert_close(trainer._penalty(), expected)
    names = {"embeddings", "attention", "towers", "share"}
    assert set(model.parameter_groups()) == names


def test_the_learning_rate_rises_and_falls_to_nothing():
    trainer = _Trainer(make(), taste_world(), TrainingConfig(epochs=10, batch_users=20), torch.device("cpu"))
    rates = [trainer._learning_rate(step) for step in range(30)]
    assert rates[0] == pytest.approx(0.01 / 25)
    assert max(rates) == pytest.approx(0.01)
    assert rates[9] == max(rates)
    assert rates[-1] < 0.0002


def test_a_loss_that_is_not_finite_is_an_error_with_a_way_out():
    model = make()
    with torch.no_grad():
        model.history_factors[3] = math.nan
    with pytest.raises(TrainingError, match=r"not finite; lower training.learning_rate"):
        fit(model, taste_world(), TrainingConfig(epochs=1))


def test_nothing_to_train_on_is_an_error():
    with pytest.raises(TrainingError, match="no interaction"):
        fit(make(), csr_matrix((3, N_ITEMS), dtype=np.float32), TrainingConfig(epochs=1))


def test_a_damaged_checkpoint_is_an_error_with_its_path(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match=r"checkpoint\.safetensors is not a readable checkpoint"):
        load_state(path)


def test_progress_is_plain_json(tmp_path):
    progress = fit(make(), taste_world(), TrainingConfig(epochs=2), None, tmp_path / "c.safetensors")
    assert json.loads(json.dumps(progress.epochs)) == progress.epochs
    assert progress.best_epoch == 2, "without validation the last epoch counts"


def test_only_the_log_loss_over_even_negatives_makes_probabilities():
    for options, expected in (
        ({}, True),
        ({"negatives": "sampled"}, True),
        ({"negatives_by": "popularity"}, False),
        ({"loss": "bpr"}, False),
        ({"loss": "squared"}, False),
    ):
        model = make()
        fit(model, taste_world(), TrainingConfig(epochs=1, **options))
        assert model.is_probabilistic is expected, options


def test_fitted_biases_do_not_replace_those_of_pretraining():
    seen = {}
    model = make("neumf")
    after = model.after_pretraining

    def remember(fitted):
        after(fitted)
        seen["bias"] = model.bias.clone()

    model.after_pretraining = remember
    fit(model, taste_world(), TrainingConfig(epochs=1, learning_rate=1e-9))
    torch.testing.assert_close(model.bias, seen["bias"])


def test_hiding_history_items_is_refused_where_none_are_read():
    with pytest.raises(
        TrainingError, match=r"history_dropout = 0.5 hides history items, and VBPR reads none"
    ):
        fit(make("vbpr"), taste_world(), TrainingConfig(history_dropout=0.5))


def test_modality_dropout_masks_items_anew_in_each_step_and_leaves_the_model_as_it_was():
    model, seen = make("image-iris"), []
    before = {**held_features(model, ("image",)), "mask": held_masks(model, ("image",))["image"]}
    config = TrainingConfig(modality_dropout=0.4, batch_users=N_USERS)
    trainer = _Trainer(model, taste_world(), config, torch.device("cpu"))
    training_scores = model.training_scores

    def watched(known, had, candidates):
        seen.append((model.features["image"], model.present["image"], known, had))
        yield from training_scores(known, had, candidates)

    model.training_scores = watched
    histories, generator = Histories.from_matrix(taste_world()), torch.Generator().manual_seed(0)
    for _ in range(40):
        trainer._backward(histories, generator)
    masks = torch.stack([mask for _, mask, _, _ in seen]).float()
    assert masks.mean().item() == pytest.approx(0.6, abs=0.04)
    assert (masks.mean(0) > 0.3).all(), "no item loses it for good"
    assert len({tuple(mask.tolist()) for mask in masks}) > 30
    for values, mask, known, had in seen:
        assert torch.equal(values, before["image"] * mask[:, None])
        assert known is had is histories
    assert torch.equal(model.features["image"], before["image"])
    assert torch.equal(model.present["image"], before["mask"])


def test_modality_dropout_never_touches_the_ids():
    """With every item masked, what is left of a model with content factors is its ids and biases."""
    model = make("image-iris", content_factors=True)
    trainer = _Trainer(model, taste_world(), TrainingConfig(modality_dropout=0.5), torch.device("cpu"))
    trainer._kept = lambda generator: {"image": torch.zeros(N_ITEMS, dtype=torch.bool)}
    histories = Histories.from_matrix(taste_world())
    trainer._backward(histories, torch.Generator())
    for name, weight in model.named_parameters():
        moved = weight.grad is not None and bool(weight.grad.any())
        assert moved == (name in {"history_factors", "candidate_factors", "bias"}), name


def test_modality_dropout_is_refused_where_no_modality_is_read():
    with pytest.raises(TrainingError, match=r"modality_dropout = 0.5 hides .*, and ItemSimilarity reads no"):
        fit(make("nais"), taste_world(), TrainingConfig(modality_dropout=0.5))
