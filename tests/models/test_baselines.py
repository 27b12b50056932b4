"""Each baseline against an independent way to the same numbers."""

import sys

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ConfigError, ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.options import DEFAULTS, MODEL_NAMES, OPTIONS

N_USERS, N = 60, 17


@pytest.fixture(scope="module")
def train() -> csr_matrix:
    rng = np.random.default_rng(0)
    taste = np.arange(N)[None] % 3 == rng.integers(3, size=N_USERS)[:, None]
    interactions = rng.random((N_USERS, N)) < np.where(taste, 0.6, 0.15)
    interactions[:, 4] = False  # an item that nobody had
    interactions[5] = False  # and a user without anything
    return csr_matrix(interactions.astype(np.float32))


def fitted(train: csr_matrix, features=None, present=None, **options):
    model = build_model(ModelConfig(**options), N, features, present, n_users=N_USERS)
    return model.fit(train)


def scores(model, train: csr_matrix) -> np.ndarray:
    with torch.no_grad():
        return model.score(Histories.from_matrix(train)).numpy()


def test_ease_is_ridge_regression_of_each_item_on_all_others(train):
    X, strength = train.toarray().astype(np.float64), 7.0
    expected = np.zeros((N, N))
    for j in range(N):
        others = np.arange(N) != j
        A = X[:, others]
        expected[others, j] = np.linalg.solve(A.T @ A + strength * np.eye(N - 1), A.T @ X[:, j])
    model = fitted(train, name="ease", regularization=strength)
    np.testing.assert_allclose(model.weights.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(scores(model, train), X @ expected, atol=1e-5)


def test_slim_is_a_positive_elastic_net_of_each_item_on_all_others(train):
    X, ridge, lasso = train.toarray().astype(np.float64), 3.0, 1.5
    G = X.T @ X
    expected = np.zeros((N, N))
    for _ in range(300):  # coordinate descent, one weight at a time
        for i in range(N):
            pull = G[i] - G[i] @ expected + G[i, i] * expected[i]
            expected[i] = np.maximum(pull - lasso, 0) / (G[i, i] + ridge)
            expected[i, i] = 0
    model = fitted(train, name="slim", regularization=ridge, sparsity=lasso, iterations=500)
    np.testing.assert_allclose(model.weights.numpy(), expected, atol=2e-3)
    assert 0.05 < (expected == 0).mean() < 0.95


@pytest.mark.parametrize("k", [1, 4, N])
def test_item_knn_is_the_shrunk_cosine_of_the_nearest(train, k):
    X, shrinkage = train.toarray(), 2.5
    expected = np.zeros((N, N))
    for j in range(N):
        column = [
            0 if i == j else X[:, i] @ X[:, j] / (np.sqrt(X[:, i].sum() * X[:, j].sum()) + shrinkage)
            for i in range(N)
        ]
        for i in np.argsort(-np.array(column), kind="stable")[:k]:
            expected[i, j] = column[i]
    model = fitted(train, name="item-knn", n_neighbors=k, shrinkage=shrinkage)
    np.testing.assert_allclose(model.weights.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(scores(model, train), X @ expected, atol=1e-5)


def test_content_knn_is_the_cosine_and_leaves_out_items_without_the_modality(train):
    rng = np.random.default_rng(1)
    values, present = rng.normal(size=(N, 5)).astype(np.float32), np.arange(N) % 5 != 0
    features, mask = {"text": torch.from_numpy(values)}, {"text": torch.from_numpy(present)}
    options = {"name": "content-knn", "n_neighbors": N, "feature_scaling": "none"}
    weights = fitted(train, features, mask, **options).weights.numpy()
    units = values / np.linalg.norm(values, axis=1, keepdims=True)
    expected = np.maximum(units @ units.T, 0) * np.outer(present, present) * (1 - np.eye(N))
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    features["text"][~mask["text"]] = 1e6  # what an absent item has for a vector means nothing
    standard = options | {"feature_scaling": "standard"}
    np.testing.assert_allclose(fitted(train, features, mask, **options).weights.numpy(), weights, atol=1e-6)
    assert not fitted(train, features, mask, **standard).weights.numpy()[~present].any()


@pytest.mark.parametrize("confidence", [1.0, 8.0])
def test_ials_folds_in_as_implicit_recalculates_users(train, confidence):
    als = pytest.importorskip("implicit.cpu.als")
    theirs = als.AlternatingLeastSquares(
        factors=6, regularization=0.7, alpha=confidence, iterations=15, random_state=3, num_threads=1
    )
    theirs.fit(train, show_progress=False)
    options = {"dim": 6, "regularization": 0.7, "confidence": confidence, "iterations": 15}
    ours = build_model(ModelConfig(name="ials", **options), N, seed=3).fit(train)
    np.testing.assert_allclose(ours.item_factors.numpy(), theirs.item_factors, atol=1e-5)
    users = theirs.recalculate_user(np.arange(N_USERS), train)
    np.testing.assert_allclose(ours.fold_in(Histories.from_matrix(train)).numpy(), users, atol=1e-4)
    np.testing.assert_allclose(scores(ours, train), users @ theirs.item_factors.T, atol=1e-4)


def test_ials_reasons_are_those_of_implicit(train):
    als = pytest.importorskip("implicit.cpu.als")
    theirs = als.AlternatingLeastSquares(
        factors=6, regularization=0.7, alpha=8.0, random_state=3, num_threads=1
    )
    theirs.fit(train, show_progress=False)
    ours = fitted(train, name="ials", dim=6, regularization=0.7, confidence=8.0)
    ours.item_factors = torch.from_numpy(theirs.item_factors)
    history = np.sort(train[0].indices)
    candidate = int(np.setdiff1d(np.arange(N), [*history, 4])[0])
    total, shares, _ = theirs.explain(0, train, candidate, N=N)
    reasons = ours.reasons(torch.from_numpy(history.astype(np.int64)), torch.tensor([candidate]))
    assert float(reasons.contribution.sum()) == pytest.approx(total, abs=1e-4)
    by_item = dict(shares)
    expected = [by_item[item] for item in history]
    np.testing.assert_allclose(reasons.contribution[:, 0].numpy(), expected, atol=1e-4)


def test_bpr_mf_scores_as_implicit(train):
    bpr = pytest.importorskip("implicit.cpu.bpr")
    theirs = bpr.BayesianPersonalizedRanking(
        factors=6, learning_rate=0.05, regularization=0.01, iterations=20, num_threads=1, random_state=3
    )
    theirs.fit(train, show_progress=False)
    options = {"dim": 6, "step_size": 0.05, "regularization": 0.01, "iterations": 20}
    ours = build_model(ModelConfig(name="bpr-mf", **options), N, seed=3, n_users=N_USERS).fit(train)
    np.testing.assert_allclose(scores(ours, train), theirs.user_factors @ theirs.item_factors.T, atol=1e-5)


@pytest.mark.parametrize("name", ["ials", "bpr-mf"])
def test_a_missing_implicit_is_reported_with_the_pip_line(train, name, monkeypatch):
    for module in ("implicit", "implicit.cpu", "implicit.cpu.als", "implicit.cpu.bpr"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError, match=r"pip install 'irisrec\[baselines\]'"):
        fitted(train, name=name)


def test_tables_larger_than_the_machine_are_refused():
    with pytest.raises(
        ModelError, match="EASE needs tables of items x items: 9,000,000 items take 324000 GB"
    ):
        build_model(ModelConfig(name="ease"), 9_000_000)


def test_every_option_belongs_to_a_model_and_every_model_has_its_options():
    fields = set(ModelConfig.model_fields) - {"name"}
    assert set(OPTIONS) == set(MODEL_NAMES)
    assert set().union(*OPTIONS.values()) == fields
    for name, defaults in DEFAULTS.items():
        assert set(defaults) <= set(OPTIONS[name])


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_written_config_reads_as_the_same(name):
    config = ModelConfig(name=name)
    for exclude_none in (False, True):
        written = config.model_dump(mode="json", exclude_none=exclude_none)
        assert set(written) <= {"name", *OPTIONS[name]}
        assert ModelConfig.read(written) == config
    everything = {option: getattr(config, option) for option in ModelConfig.model_fields}
    assert ModelConfig.read(everything) == config  # every default spelled out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "ease", "dim": 16}, "model: ease has no option dim; its options are regularization"),
        ({"name": "fism", "hidden": 9}, "model: fism has no option hidden; its options are dim, alpha, "),
        ({"name": "nais", "n_neighbors": 9}, "model: nais has no option n_neighbors; "),
        (
            {"name": "random", "dim": 3, "beta": 0.5},
            "model: random has no option dim and no option beta; it has none",
        ),
        (
            {"name": "content-knn", "modalities": ["a", "b"]},
            "model: content-knn reads one modality, got a, b; ",
        ),
        (
            {"name": "ease", "regularization": 0},
            "option model.regularization: input should be greater than 0, got 0",
        ),
        ({"name": "eese"}, "option model.name: "),
    ],
)
def test_an_option_that_would_move_nothing_is_refused(options, sentence):
    with pytest.raises(ConfigError) as error:
        ModelConfig.read(options, "model")
    assert str(error.value).startswith(sentence)


def test_content_knn_asks_which_of_several_modalities():
    with pytest.raises(
        ConfigError, match=r"content-knn reads one modality, there are image, text; choose with"
    ):
        ModelConfig(name="content-knn").modalities_of(("image", "text"))
