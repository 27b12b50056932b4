"""One suite for every model: what anybody may rely on, whatever is inside."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.splits import Split
from irisrec.errors import DataError, ModelError, RunError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.prepared import prepared
from irisrec.models.storage import save_features, save_model
from irisrec.recommendation.history import History
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from irisrec.recommendation.storage import save_dataset
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

WIDTHS = {"dim": 8, "hidden": 8}
MODELS = {
    "popularity": {"name": "popularity"},
    "random": {"name": "random"},
    "item-knn": {"name": "item-knn", "n_neighbors": 6},
    "content-knn": {"name": "content-knn", "modalities": ("image",), "n_neighbors": 6},
    "ease": {"name": "ease", "regularization": 10},
    "slim": {"name": "slim", "regularization": 5, "sparsity": 1},
    "ials": {"name": "ials", "dim": 8, "regularization": 10, "confidence": 3},
    "bpr-mf": {"name": "bpr-mf", "dim": 8, "iterations": 500},
    "vbpr": {"name": "vbpr", "dim": 8},
    "gmf": {"name": "gmf", "dim": 8},
    "mlp": {"name": "mlp", "dim": 8, "n_layers": 2},
    "neumf": {"name": "neumf", "dim": 8, "n_layers": 2},
    "lightgcn": {"name": "lightgcn", "dim": 8, "n_layers": 2},
    "freedom": {"name": "freedom", "dim": 8, "n_neighbors": 4, "edge_dropout": 0.3, "content_loss": 0.1},
    "fism": {"name": "fism", "dim": 8, "alpha": 0.5},
    "nais": {"name": "nais", "dim": 8},
    "nais-product": {"name": "nais", "dim": 8, "attention": "product"},
    "nais-ridge": {"name": "nais", "dim": 8, "ridge": 10},
    "image-iris": {"name": "image-iris", **WIDTHS},
    "image-add-text-iris": {"name": "image-add-text-iris", **WIDTHS},
    "multimodal-iris": {"name": "multimodal-iris", **WIDTHS},
    "content-map": {
        **WIDTHS,
        "name": "multimodal-iris",
        "content_factors": True,
        "id_dropout": 0.3,
    },
    "ridge": {**WIDTHS, "name": "multimodal-iris", "ridge": 9},
}
IMPERSONAL = ("popularity", "random")  # rank without knowing tastes
BY_USER = ("bpr-mf", "vbpr", "gmf", "mlp", "neumf", "lightgcn", "freedom")
BY_HISTORY = [name for name in MODELS if name not in BY_USER]
PERSONAL = [name for name in MODELS if name not in IMPERSONAL]
BY_IMPLICIT = ("ials", "bpr-mf")
N_USERS, N_ITEMS, N_TASTES = 90, 24, 3
WITH_SEEN = Rules(exclude_seen=False)


def world(prefix: str = "i") -> tuple[Dataset, dict, dict]:
    """Each user has most items of one of three tastes; content shows the taste."""
    rng = np.random.default_rng(0)
    taste = rng.integers(N_TASTES, size=N_USERS)
    item_taste = np.arange(N_ITEMS) % N_TASTES
    users, items = np.nonzero(
        rng.random((N_USERS, N_ITEMS)) < np.where(item_taste == taste[:, None], 0.75, 0.02)
    )
    frame = pl.DataFrame({"user_id": users, "item_id": [f"{prefix}{i:02}" for i in items]})
    catalog = pl.DataFrame({"item_id": [f"{prefix}{i:02}" for i in range(N_ITEMS)]})
    catalog = catalog.with_columns(
        title=pl.Series([f"Item {i} of taste {i % N_TASTES}" for i in range(N_ITEMS)])
    )
    dataset = Dataset.build(Interactions(frame), Catalog.of(catalog))
    shown = np.eye(N_TASTES)[item_taste] + 0.1 * rng.normal(size=(N_ITEMS, N_TASTES))
    features = {m: torch.from_numpy(shown.astype(np.float32)) for m in ("image", "text")}
    present = {m: torch.ones(N_ITEMS, dtype=torch.bool) for m in features}
    return dataset, features, present


def trained(name: str, prefix: str = "i") -> tuple[Recommender, Dataset]:
    if name in BY_IMPLICIT:
        pytest.importorskip("implicit")
    dataset, features, present = world(prefix)
    config = ModelConfig(**MODELS[name])
    model = build_model(config, dataset.n_items, features, present, n_users=dataset.n_users)
    if model.needs_gradient_training:
        # a user's own factors soon know the few items by heart
        epochs, decay = (15, 1.0) if model.knows_users_only else (40, 0.0)
        config = TrainingConfig(epochs=epochs, batch_users=30, learning_rate=0.03, weight_decay=decay)
        fit(model, dataset.matrix, config)
    else:
        model.fit(dataset.matrix)
    return Recommender(model, dataset.catalog, KnownUsers.of_matrix(dataset.users, dataset.matrix)), dataset


def nothing_held_out(dataset: Dataset) -> Split:
    empty = csr_matrix(dataset.matrix.shape, dtype=np.float32)
    return Split(dataset.matrix, empty, empty)


@pytest.fixture(scope="module")
def fitted():
    """Each model once for the module."""
    return cache(trained)


@pytest.fixture(params=MODELS)
def case(request, fitted):
    return request.param, *fitted(request.param)


@pytest.fixture(params=BY_HISTORY)
def any_history(request, fitted):
    """A model that scores any history."""
    return request.param, *fitted(request.param)


def ids(recommendations) -> list:
    return [recommendation.item_id for recommendation in recommendations]


@pytest.mark.parametrize("name", [name for name in PERSONAL if name not in BY_USER])
def test_finds_the_items_of_the_taste(name, fitted):
    found = ids(fitted(name)[0].recommend(history=["i00", "i03", "i06"], k=5))
    assert all(int(item[1:]) % N_TASTES == 0 for item in found)


@pytest.mark.parametrize("name", PERSONAL)
def test_finds_the_items_of_a_known_user_s_taste(name, fitted):
    recommender, dataset = fitted(name)
    n_first = n_asked = 0
    for user in dataset.users.series:
        history = Counter(int(item[1:]) % N_TASTES for item in recommender.history_of(user))
        taste, n_of_taste = history.most_common(1)[0]
        if n_of_taste < N_ITEMS / N_TASTES:  # some are left to find
            n_asked += 1
            n_first += int(recommender.recommend(user, k=1)[0].item_id[1:]) % N_TASTES == taste
    assert n_first >= 0.95 * n_asked > 40


def test_seen_items_are_left_out_unless_asked_for(case):
    _, recommender, _ = case
    user = recommender.users.ids([4])[0]
    seen = set(recommender.history_of(user))
    assert not seen & set(ids(recommender.recommend(user, k=N_ITEMS)))
    assert set(ids(recommender.recommend(user, k=N_ITEMS, rules=WITH_SEEN))) == set(recommender.items.series)


@pytest.mark.parametrize("k", [1, 5, 21, 24, 1000])
def test_gives_exactly_as_many_as_asked_and_allowed(any_history, k):
    _, recommender, _ = any_history
    assert len(recommender.recommend(history=["i00", "i01", "i02"], k=k)) == min(k, N_ITEMS - 3)


def test_best_first_and_the_same_each_time(any_history):
    _, recommender, _ = any_history
    first = recommender.recommend(history=["i05"], k=N_ITEMS)
    assert [r.score for r in first] == sorted((r.score for r in first), reverse=True)
    assert first == recommender.recommend(history=["i05"], k=N_ITEMS)


def test_a_known_user_is_its_history(any_history):
    _, recommender, _ = any_history
    user = recommender.users.ids([7])[0]
    assert recommender.recommend(user) == recommender.recommend(history=recommender.history_of(user))


def test_order_and_repetition_of_a_history_do_not_matter(any_history):
    _, recommender, _ = any_history
    assert recommender.recommend(history=["i03", "i00"]) == recommender.recommend(
        history=["i00", "i03", "i00"]
    )


def test_an_empty_history_is_answered(any_history):
    _, recommender, _ = any_history
    found = recommender.recommend(history=[], k=4)
    assert len(found) == 4
    assert all(r.because == () for r in found)


def test_a_history_of_everything_leaves_nothing_to_recommend(any_history):
    _, recommender, _ = any_history
    assert recommender.recommend(history=recommender.items.series.to_list()) == []


def test_unknown_ids_and_wrong_arguments_are_named(any_history):
    _, recommender, _ = any_history
    with pytest.raises(DataError, match=r"1 of 2 item ids is not among the 24 known: 'nope'"):
        recommender.recommend(history=["i00", "nope"])
    with pytest.raises(DataError, match="user 4711 is not among the"):
        recommender.recommend(4711)
    with pytest.raises(DataError, match="either a user or a history, got neither"):
        recommender.recommend()
    with pytest.raises(DataError, match="k must be at least 1, got 0"):
        recommender.recommend(history=[], k=0)


def test_reasons_come_from_the_history_and_sum_to_the_score(any_history):
    _, recommender, _ = any_history
    history = ["i00", "i01", "i05", "i09"]
    for found in recommender.recommend(history=history, k=6, n_reasons=10, rules=WITH_SEEN):
        if not recommender.model.has_reasons:
            assert found.because == ()
            continue
        assert {reason.item_id for reason in found.because} == set(history) - {found.item_id}
        contributions = [reason.contribution for reason in found.because]
        assert contributions == sorted(contributions, reverse=True)
        rows = [torch.from_numpy(recommender.items.index(some)) for some in (history, [found.item_id])]
        bias = float(recommender.model.reasons(*rows).bias[0])
        assert sum(contributions) + bias == pytest.approx(found.score, abs=1e-5)
        if recommender.model.is_probabilistic:
            assert found.probability == pytest.approx(1 / (1 + np.exp(-found.score)))
        else:
            assert found.probability is None


def test_save_and_load_recommend_the_same_without_the_data(case, tmp_path):
    name, recommender, dataset = case
    _, features, present = world()
    save_dataset(tmp_path, dataset, nothing_held_out(dataset))
    save_features(tmp_path, features, present)
    save_model(tmp_path, recommender.model, ModelConfig(**MODELS[name]))
    loaded = Recommender.load(tmp_path)
    for user in loaded.users.ids(range(5)):
        assert loaded.recommend(user) == recommender.recommend(user)
    assert not list(tmp_path.glob("*.pkl"))


def test_a_cut_off_or_missing_file_is_refused_with_a_sentence(case, tmp_path):
    name, recommender, dataset = case
    _, features, present = world()
    save_dataset(tmp_path, dataset, nothing_held_out(dataset))
    save_features(tmp_path, features, present)
    with pytest.raises(RunError, match=r"model\.json is missing"):
        Recommender.load(tmp_path)
    save_model(tmp_path, recommender.model, ModelConfig(**MODELS[name]))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(RunError, match=r"model\.safetensors is not what was written"):
        Recommender.load(tmp_path)
    with pytest.raises(RunError, match="there is no run folder"):
        Recommender.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", PERSONAL)
def test_renaming_the_items_changes_nothing_but_their_names(name):
    first, _ = trained(name)
    second, _ = trained(name, prefix="zz")
    for user in (0, 1, 2):
        ours, theirs = first.recommend(user), second.recommend(user)
        assert [i[1:] for i in ids(ours)] == [i[2:] for i in ids(theirs)]
        assert [r.score for r in ours] == [r.score for r in theirs]


def test_models_that_give_no_reasons_say_so(case):
    _, recommender, _ = case
    row = torch.tensor([0])
    if not recommender.model.has_reasons:
        with pytest.raises(ModelError, match="has no reasons to give"):
            recommender.model.reasons(row, row)


@pytest.mark.parametrize("name", BY_USER)
def test_a_model_of_known_users_says_so_when_it_is_given_a_history(name, fitted):
    recommender, dataset = fitted(name)
    assert recommender.model.knows_users_only
    with pytest.raises(ModelError, match=f"{name} .* can score only the 90 users it was trained with"):
        recommender.recommend(history=["i00"])
    strangers = Histories.from_matrix(dataset.matrix[:1])
    with pytest.raises(ModelError, match=f"{name} .* can score only the 90 users it was trained with"):
        recommender.model.score(replace(strangers, users=torch.tensor([90])))


def test_one_user_is_the_same_user_in_a_batch_and_among_few_candidates(case):
    _, recommender, dataset = case
    users, columns = np.arange(7), torch.tensor([2, 3, 11])
    with torch.no_grad():
        batch = recommender.model.score(Histories.from_matrix(dataset.matrix, users))
        for user in users:
            alone = Histories.from_matrix(dataset.matrix, users[user : user + 1])
            torch.testing.assert_close(recommender.model.score(alone)[0], batch[user])
            torch.testing.assert_close(recommender.model.score(alone, columns)[0], batch[user, columns])


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_scores(name, fitted):
    again, dataset = trained(name)
    histories = Histories.from_matrix(dataset.matrix)
    with torch.no_grad():
        assert torch.equal(again.model.score(histories), fitted(name)[0].model.score(histories))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("random", "content-knn")])
def test_a_model_of_other_items_or_of_the_loop_refuses_to_fit(name, fitted):
    model = fitted(name)[0].model
    expected = "fitted by gradients" if model.needs_gradient_training else "each of the 24 items of the model"
    with pytest.raises(ModelError, match=expected):
        model.fit(csr_matrix((3, 5), dtype=np.float32))


def test_chance_differs_by_user_and_seed_and_is_uniform():
    few = Histories.of([[0], [1], [0, 1], []])
    first, second = (build_model(ModelConfig(name="random"), 5000, seed=seed) for seed in (0, 1))
    scores = first.score(few)
    assert len(set(scores[:, 0].tolist())) == 4
    assert not torch.equal(scores, second.score(few))
    assert (scores.min() >= 0) & (scores.max() < 1)
    assert scores.mean(1).numpy() == pytest.approx(np.full(4, 0.5), abs=0.02)
    assert np.abs(np.corrcoef(scores)[np.triu_indices(4, 1)]).max() < 0.05


def test_an_item_of_weight_two_speaks_as_two_do(any_history):
    """As far as a model reads histories: reasons and scores see the weight alike."""
    name, recommender, _ = any_history
    plain = recommender.recommend(history=["i00", "i05"], k=N_ITEMS, n_reasons=5)
    same = recommender.recommend(history=History(["i05", "i00"], weights=[1, 1]), k=N_ITEMS, n_reasons=5)
    assert [r.score for r in same] == pytest.approx([r.score for r in plain], abs=1e-6)
    heavy = recommender.recommend(history=History(["i05", "i00"], weights=[1, 9]), k=N_ITEMS, n_reasons=5)
    if not recommender.model.has_reasons:
        assert heavy == plain
        return
    assert [r.score for r in heavy] != [r.score for r in plain]
    weights = torch.tensor([9.0, 1.0])
    for found in heavy:
        rows = [torch.from_numpy(recommender.items.index(some)) for some in (["i00", "i05"], [found.item_id])]
        bias = float(recommender.model.reasons(*rows, weights).bias[0])
        assert sum(r.contribution for r in found.because) + bias == pytest.approx(found.score, abs=1e-5), name


def test_explaining_many_is_explaining_one_by_one(any_history):
    _, recommender, dataset = any_history
    if not recommender.model.has_reasons:
        return
    users = np.array([3, 0, 8])
    histories = Histories.from_matrix(dataset.matrix, users)
    candidates = torch.tensor([[1, 5], [23, 0], [4, 2]])
    for scorer in (recommender.model, prepared(recommender.model)):
        together = scorer.explain(histories, candidates)
        for row in range(3):
            one = histories.part(row, row + 1)
            alone = recommender.model.reasons(one.items, candidates[row])
            n = len(one.items)
            for part in ("relevance", "contribution"):
                table = getattr(together, part)[row]
                torch.testing.assert_close(table[:n], getattr(alone, part), msg=part)
                assert not table[n:].any()
            torch.testing.assert_close(together.bias[row], alone.bias)
