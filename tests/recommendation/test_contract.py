"""One suite for every model: what anybody may rely on, whatever is inside."""

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.splits import Split
from irisrec.errors import DataError, RunError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.popularity import Popularity
from irisrec.models.storage import save_features, save_model
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.storage import save_dataset
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

MODELS = {
    "popularity": {"name": "popularity"},
    "fism": {"name": "fism", "alpha": 0.5},
    "nais": {"name": "nais"},
    "nais-product": {"name": "nais", "attention": "product"},
    "image-iris": {"name": "image-iris"},
    "image-add-text-iris": {"name": "image-add-text-iris"},
    "multimodal-iris": {"name": "multimodal-iris"},
}
PERSONAL = [name for name in MODELS if name != "popularity"]
N_USERS, N_ITEMS, N_TASTES = 90, 24, 3


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


def trained(options: dict, prefix: str = "i") -> tuple[Recommender, Dataset]:
    dataset, features, present = world(prefix)
    config = ModelConfig(dim=8, hidden=8, **options)
    model = build_model(config, dataset.n_items, features, present)
    if isinstance(model, Popularity):
        model.fit(dataset.matrix)
    else:
        fit(model, dataset.matrix, TrainingConfig(epochs=40, batch_users=30, learning_rate=0.03))
    return Recommender(model, dataset.catalog, dataset.users, dataset.matrix), dataset


def nothing_held_out(dataset: Dataset) -> Split:
    empty = csr_matrix(dataset.matrix.shape, dtype=np.float32)
    return Split(dataset.matrix, empty, empty)


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    recommender, dataset = trained(MODELS[request.param])
    return request.param, recommender, dataset


def ids(recommendations) -> list:
    return [recommendation.item_id for recommendation in recommendations]


def test_finds_the_items_of_the_taste(case):
    name, recommender, _ = case
    if name == "popularity":
        pytest.skip("popularity knows no tastes")
    found = ids(recommender.recommend(history=["i00", "i03", "i06"], k=5))
    assert all(int(item[1:]) % N_TASTES == 0 for item in found)


def test_seen_items_are_left_out_unless_asked_for(case):
    _, recommender, _ = case
    user = recommender.users.ids([4])[0]
    seen = set(recommender.history_of(user))
    assert not seen & set(ids(recommender.recommend(user, k=N_ITEMS)))
    assert set(ids(recommender.recommend(user, k=N_ITEMS, exclude_seen=False))) == set(
        recommender.items.series
    )


@pytest.mark.parametrize("k", [1, 5, 21, 24, 1000])
def test_gives_exactly_as_many_as_asked_and_allowed(case, k):
    _, recommender, _ = case
    assert len(recommender.recommend(history=["i00", "i01", "i02"], k=k)) == min(k, N_ITEMS - 3)


def test_best_first_and_the_same_each_time(case):
    _, recommender, _ = case
    first = recommender.recommend(history=["i05"], k=N_ITEMS)
    assert [r.score for r in first] == sorted((r.score for r in first), reverse=True)
    assert first == recommender.recommend(history=["i05"], k=N_ITEMS)


def test_a_known_user_is_its_history(case):
    _, recommender, _ = case
    user = recommender.users.ids([7])[0]
    assert recommender.recommend(user) == recommender.recommend(history=recommender.history_of(user))


def test_order_and_repetition_of_a_history_do_not_matter(case):
    _, recommender, _ = case
    assert recommender.recommend(history=["i03", "i00"]) == recommender.recommend(
        history=["i00", "i03", "i00"]
    )


def test_an_empty_history_is_answered(case):
    _, recommender, _ = case
    found = recommender.recommend(history=[], k=4)
    assert len(found) == 4
    assert all(r.because == () for r in found)


def test_a_history_of_everything_leaves_nothing_to_recommend(case):
    _, recommender, _ = case
    assert recommender.recommend(history=recommender.items.series.to_list()) == []


def test_unknown_ids_and_wrong_arguments_are_named(case):
    _, recommender, _ = case
    with pytest.raises(DataError, match=r"1 of 2 item ids is not among the 24 known: 'nope'"):
        recommender.recommend(history=["i00", "nope"])
    with pytest.raises(DataError, match="user 4711 is not among the"):
        recommender.recommend(4711)
    with pytest.raises(DataError, match="either a user or a history, got neither"):
        recommender.recommend()
    with pytest.raises(DataError, match="k must be at least 1, got 0"):
        recommender.recommend(history=[], k=0)


def test_reasons_come_from_the_history_and_sum_to_the_score(case):
    name, recommender, _ = case
    history = ["i00", "i01", "i05", "i09"]
    for found in recommender.recommend(history=history, k=6, n_reasons=10, exclude_seen=False):
        if name == "popularity":
            assert found.because == ()
            continue
        assert {reason.item_id for reason in found.because} == set(history) - {found.item_id}
        contributions = [reason.contribution for reason in found.because]
        assert contributions == sorted(contributions, reverse=True)
        row = recommender.items.index([found.item_id])[0]
        bias = float(recommender.model.bias[row].detach())
        assert sum(contributions) + bias == pytest.approx(found.score, abs=1e-5)
        assert found.probability == pytest.approx(1 / (1 + np.exp(-found.score)))


def test_save_and_load_recommend_the_same_without_the_data(case, tmp_path):
    name, recommender, dataset = case
    _, features, present = world()
    save_dataset(tmp_path, dataset, nothing_held_out(dataset))
    save_features(tmp_path, features, present)
    save_model(tmp_path, recommender.model, ModelConfig(dim=8, hidden=8, **MODELS[name]))
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
    save_model(tmp_path, recommender.model, ModelConfig(dim=8, hidden=8, **MODELS[name]))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])
    with pytest.raises(RunError, match=r"model\.safetensors cannot be read"):
        Recommender.load(tmp_path)
    with pytest.raises(RunError, match="there is no run folder"):
        Recommender.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", PERSONAL)
def test_renaming_the_items_changes_nothing_but_their_names(name):
    first, _ = trained(MODELS[name])
    second, _ = trained(MODELS[name], prefix="zz")
    for user in (0, 1, 2):
        ours, theirs = first.recommend(user), second.recommend(user)
        assert [i[1:] for i in ids(ours)] == [i[2:] for i in ids(theirs)]
        assert [r.score for r in ours] == [r.score for r in theirs]


@pytest.mark.parametrize("name", PERSONAL)
def test_models_that_give_reasons_say_so(name):
    assert isinstance(trained(MODELS[name])[0].model, ItemSimilarity)
    assert ItemSimilarity.has_reasons
    assert not Popularity.has_reasons
