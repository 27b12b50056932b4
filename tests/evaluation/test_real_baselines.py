"""Known numbers on the real data: a correct pipeline gives them to within a hundredth."""

import pytest
import torch

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.data.load import load_dataset
from irisrec.data.split import Split
from irisrec.data.splits import split_dataset
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from tests.real import real_data

pytestmark = pytest.mark.real
NCF = {
    "strategy": "files",
    "format": "ncf",
    "test": "ncf/ml-1m.test.rating",
    "negatives": "ncf/ml-1m.test.negative",
    "item_map": "ncf/item_map.csv",
    "user_offset": 1,
    "validation": False,
}


def split_of(folder: str, split: dict | None = None, **data) -> Split:
    config = DataConfig.read({"root": str(real_data(folder)), **data}, "data")
    return split_dataset(load_dataset(config), SplitConfig.read(split or {}, "split"), config.root)


def measured(split: Split, **options) -> dict[str, dict[str, float]]:
    n_users, n_items = split.train.shape
    model = build_model(ModelConfig(**options), n_items, n_users=n_users).fit(split.train)
    return evaluate(model, split, EvaluationConfig(cutoffs=(10,))).metrics


@pytest.fixture(autouse=True)
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_ease_on_movielens_1m():
    filters = {"catalog": {"plot_source": "melu_imdb"}}
    split = split_of("movielens-1m", source="movielens", filters=filters)
    found = measured(split, name="ease", regularization=1000)
    assert found["sampled-99"]["hr@10"] == pytest.approx(0.829, abs=0.01)
    assert found["sampled-99"]["ndcg@10"] == pytest.approx(0.600, abs=0.01)
    assert found["full"]["ndcg@10"] == pytest.approx(0.146, abs=0.01)


def test_hm_fashion():
    split = split_of("hm-fashion", interactions="interactions.parquet", items="items.csv")
    known = {
        "popularity": (0.0245, {}),
        "item-knn": (0.087, {}),
        "ease": (0.091, {"regularization": 50}),
    }
    for name, (ndcg, options) in known.items():
        assert measured(split, name=name, **options)["full"]["ndcg@10"] == pytest.approx(ndcg, abs=0.01)


def test_popularity_on_the_published_ncf_files():
    found = measured(split_of("movielens-1m", NCF, source="movielens"), name="popularity")
    assert found["given-negatives"]["hr@10"] == pytest.approx(0.453, abs=0.01)
    assert found["given-negatives"]["ndcg@10"] == pytest.approx(0.254, abs=0.01)
