"""Without any training of their own: what stands for items that nobody had, and what it leaves as it is."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.sparse import csr_matrix
from torch.nn.functional import normalize

from irisrec.errors import ConfigError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.masked import without
from irisrec.models.prepared import prepared
from irisrec.models.storage import WEIGHTS, load_model, save_features, save_model
from irisrec.sums import seal
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

N, UNTRAINED = 11, [2, 7]
TRAINED = [item for item in range(N) if item not in UNTRAINED]
WIDTHS = {"image": 6, "text": 4}
RIDGE = {"ridge": 2.0, "ridge_content": {"text": 1.0}, "ridge_map": 0.5, "ridge_new": 3.0}
CONTENT = {"content_factors": True}
KINDS = pytest.mark.parametrize("kind", [CONTENT, RIDGE, RIDGE | CONTENT], ids=["content", "ridge", "both"])
ALL = torch.arange(N)


def content(n: int = N) -> tuple[dict, dict]:
    rng = np.random.default_rng(1)
    present = {m: torch.from_numpy(rng.random(n) < 0.8) for m in WIDTHS}
    for m in WIDTHS:
        present[m][UNTRAINED] = True
    features = {m: torch.from_numpy(rng.normal(size=(n, w)).astype(np.float32)) for m, w in WIDTHS.items()}
    return {m: x * present[m][:, None] for m, x in features.items()}, present


def interactions() -> csr_matrix:
    rng = np.random.default_rng(0)
    had = rng.random((30, N)) < 0.4
    had[:, UNTRAINED] = False
    return csr_matrix(had.astype(np.float32))


def build(items: list[int] | None = None, **options) -> ItemSimilarity:
    features, present = content()
    rows = list(range(N)) if items is None else items
    return build_model(
        ModelConfig(name="multimodal-iris", dim=5, hidden=6, init_std=0.5, feature_scaling="none", **options),
        len(rows),
        {m: x[rows] for m, x in features.items()},
        {m: x[rows] for m, x in present.items()},
    )


def trained(**options) -> ItemSimilarity:
    model = build(**options)
    fit(model, interactions(), TrainingConfig(epochs=2, batch_users=10, learning_rate=0.05))
    return model.double()


def guess(model: ItemSimilarity, known: torch.Tensor, item: int, kept: tuple = tuple(WIDTHS)) -> torch.Tensor:
    """Rows (T, …) of the trained items, guessed for another by least squares on vectors of length one."""
    units = [normalize(x, dim=1) for x in model.features.values()]
    x = torch.cat([*units, torch.ones(N, 1)], dim=1).double()
    penalty = 0.5**0.5 * torch.eye(x.shape[1], dtype=torch.float64)
    targets = torch.cat([known.double(), x.new_zeros(x.shape[1], known.shape[1])])
    solution = torch.linalg.lstsq(torch.cat([x[TRAINED], penalty]), targets).solution
    mine = torch.cat([u[item] * (m in kept) for m, u in zip(WIDTHS, units, strict=True)] + [torch.ones(1)])
    return mine.double() @ solution


def test_ridge_weights_of_an_untrained_item_come_from_content_on_both_sides():
    model = trained(**RIDGE)
    weights = model.ridge.weights
    for item in UNTRAINED:
        as_history, as_candidate = (guess(model, w, item) for w in (weights[TRAINED], weights[:, TRAINED].T))
        torch.testing.assert_close(weights[item], as_history, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(weights[:, item], 3 * as_candidate, rtol=1e-4, atol=1e-5)


def test_ridge_weights_of_trained_items_are_those_of_a_regression_among_them():
    model, part = build(**RIDGE), build(TRAINED, **RIDGE)
    train = interactions()
    model.begin_training(train)
    part.begin_training(train[:, TRAINED])
    torch.testing.assert_close(model.ridge.weights[TRAINED][:, TRAINED], part.ridge.weights)


@KINDS
def test_factors_and_bias_of_an_untrained_item_are_those_that_are_said(kind):
    model = trained(**kind)
    tables = model.item_tables(None)
    mapped = None if model.content is None else model.content(model.features)
    for item in UNTRAINED:
        assert tables.bias[item] == model.bias[TRAINED].mean()
        if mapped is None:
            expected = guess(model, model.history_factors[TRAINED].detach(), item)
            torch.testing.assert_close(tables.p[item], expected, rtol=1e-4, atol=1e-5)
        else:
            torch.testing.assert_close(tables.p[item], mapped.p[item])
        if model.ridge is None:
            torch.testing.assert_close(tables.q[item], mapped.q[item])
        else:
            assert not tables.q[item].any()


@KINDS
def test_scores_between_trained_items_are_the_same_to_the_bit_as_if_nothing_stood_for_others(kind):
    model = trained(**kind)
    histories = Histories.of([[0, 1, 3], [10], TRAINED])
    scores = prepared(model).score(histories)[:, TRAINED]
    alone = model.score(histories, torch.tensor(TRAINED))
    model.trained.fill_(True)
    assert torch.equal(prepared(model).score(histories)[:, TRAINED], scores)
    assert torch.equal(model.score(histories, torch.tensor(TRAINED)), alone)


def test_training_beside_a_ridge_term_is_the_same_to_the_bit_whatever_stands_for_others():
    """So there is nothing that warm items pay."""
    train = interactions()[:, TRAINED]
    models = [build(TRAINED, **RIDGE | CONTENT), build(TRAINED, **RIDGE | CONTENT)]
    type_of = type(models[1])
    models[1].__class__ = type("Blind", (type_of,), {"takes_new_items": False, "new_are_negatives": True})
    for model in models:
        fit(model, train, TrainingConfig(epochs=2, batch_users=10))
    for name, value in models[0].state_dict().items():
        assert torch.equal(models[1].state_dict()[name], value), name


@KINDS
def test_an_item_that_is_not_new_and_that_nobody_had_is_learned_as_unpopular(kind):
    train = interactions()
    there, new = build(**kind), build(**kind)
    config = TrainingConfig(epochs=8, batch_users=10)
    fit(there, train, config, new=np.zeros(N, bool))
    fit(new, train, config)
    assert there.trained.all()
    assert new.trained.nonzero()[:, 0].tolist() == TRAINED
    histories = Histories.from_matrix(train)
    learned, stands = (m.eval().score(histories)[:, UNTRAINED].mean() for m in (there, new))
    assert learned < stands - 1


@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.parametrize("kind", [RIDGE, RIDGE | CONTENT], ids=["ridge", "both"])
def test_without_a_modality_nothing_of_it_stands_for_an_untrained_item(kind, name):
    model = trained(**kind)
    before = model.ridge.weights.clone()
    masked = without(model, [name])
    rest = tuple(m for m in WIDTHS if m != name)
    for item in UNTRAINED:
        expected = guess(model, before[TRAINED], item, rest)
        found = masked.ridge.weights[item]
        torch.testing.assert_close(found[TRAINED], expected[TRAINED], rtol=1e-4, atol=1e-5)
    assert torch.equal(masked.ridge.weights[TRAINED][:, TRAINED], before[TRAINED][:, TRAINED])
    assert torch.equal(model.ridge.weights, before)
    history = torch.tensor([0, 2, 4])
    left = model.pair_block(history, ALL, frozenset(rest))
    again = masked.pair_block(history, ALL)
    for part in ("similarity", "added", "logits"):
        torch.testing.assert_close(getattr(left, part), getattr(again, part), rtol=1e-4, atol=1e-5)


@KINDS
def test_what_stands_for_an_untrained_item_is_shared_by_its_modalities_exactly(kind):
    model = trained(**kind, alpha=0.3)
    for history in (torch.tensor([0, 1, 4]), torch.tensor([2, 7]), torch.tensor([3, 7, 10])):
        for scorer in (model, prepared(model), prepared(model, 0)):
            reasons, shares = scorer.reasons(history, ALL), scorer.modality_shares(history, ALL)
            total = shares.contribution.ids + sum(shares.contribution.modalities.values())
            torch.testing.assert_close(total, reasons.contribution, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(
                reasons.contribution.sum(0) + reasons.bias, model.score(Histories.of([history.tolist()]))[0]
            )
            without_each = model.score(Histories.without_each(history))
            torch.testing.assert_close(scorer.scores_without(history, None), without_each)
    if kind is RIDGE:  # nothing but added weights: with one modality's alone and both, the sharing is plain
        shares = model.modality_shares(torch.tensor([0]), torch.tensor([7])).contribution
        scale, weights = 3 * model.ridge.log_scale.exp(), model.ridge.weights[:, TRAINED].T
        v = {
            k: scale * guess(model, weights, 7, k)[0] for k in ((), ("image",), ("text",), ("image", "text"))
        }
        image = (v["image",] - v[()] + v["image", "text"] - v["text",]) / 2
        torch.testing.assert_close(shares.modalities["image"][0, 0], image, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(shares.ids[0, 0], v[()], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", [RIDGE, RIDGE | CONTENT], ids=["ridge", "both"])
def test_an_untrained_item_has_vectors_to_compare_it_by(kind):
    model = trained(**kind)
    vectors = model.candidate_vectors(ALL)
    assert torch.equal(prepared(model).candidate_vectors(ALL), vectors)
    assert torch.equal(vectors[TRAINED], model.item_tables(None).q[TRAINED])
    for item in UNTRAINED:
        expected = guess(model, vectors[TRAINED], item)
        torch.testing.assert_close(vectors[item], expected, rtol=1e-4, atol=1e-5)


def test_dropping_ids_beside_a_ridge_term_is_refused():
    with pytest.raises(
        (ConfigError, ValueError), match="id_dropout is for models without a ridge regression"
    ):
        ModelConfig(name="multimodal-iris", content_factors=True, id_dropout=0.3, ridge=5.0)


def test_where_the_weights_do_not_say_who_was_trained_all_count_as_trained(tmp_path):
    model = build(**RIDGE)
    model.begin_training(interactions())
    save_features(tmp_path, *content())
    save_model(tmp_path, model, model.config)
    assert torch.equal(load_model(tmp_path)[0].trained, model.trained)
    weights = load_file(tmp_path / WEIGHTS)
    del weights["trained"]
    save_file(weights, tmp_path / WEIGHTS)
    seal(tmp_path / WEIGHTS)
    assert load_model(tmp_path)[0].trained.all()
