"""The data sets beside the checkout, counted."""

import pytest

from irisrec.data.config import SplitConfig
from irisrec.data.splits import split_dataset
from irisrec.errors import DataError
from irisrec.notes import counted
from tests.data.helpers import load
from tests.real import real_data

pytestmark = pytest.mark.real
NCF = {
    "strategy": "files",
    "format": "ncf",
    "test": "ncf/ml-1m.test.rating",
    "negatives": "ncf/ml-1m.test.negative",
    "item_map": "ncf/item_map.csv",
    "user_offset": 1,
}


def sizes(dataset):
    return dataset.n_users, dataset.n_items, dataset.n_interactions


def test_movielens_1m_with_the_plots_of_the_paper():
    filters = {"catalog": {"plot_source": "melu_imdb"}}
    dataset = load(real_data("movielens-1m"), source="movielens", filters=filters)
    assert sizes(dataset) == (6040, 3685, 999_626)
    assert counted(dataset.notes) == {
        "movielens_files": 3,
        "items_filtered": 583,
        "unseen_items": 160,
        "items_without_picture": 367,
    }
    assert None not in dataset.catalog.texts


def test_movielens_1m_has_too_few_times_for_a_split_by_time():
    dataset = load(real_data("movielens-1m"), source="movielens")
    with pytest.raises(DataError, match="198,642 of 1,000,209 have none"):
        split_dataset(dataset, SplitConfig(strategy="last"))


def test_the_published_ncf_test_fits_movielens_1m_and_its_faulty_rows_are_counted():
    root = real_data("movielens-1m")
    dataset = load(root, source="movielens")
    split = split_dataset(dataset, SplitConfig.read(NCF | {"validation": False}, "split"), root)
    assert (split.train.nnz, split.test.nnz, split.negatives.nnz) == (994_169, 6040, 99 * 6040 - 156)
    assert counted(split.notes) == {
        "negatives_are_targets": 156
    }  # no pair unknown, none outside the interactions


def test_the_ncf_files_are_a_source_of_their_own():
    options = {"source": "ncf", "interactions": "ml-1m.train.pairs.tsv", "test": "ml-1m.test.rating"}
    dataset = load(real_data("movielens-1m") / "ncf", **options, item_map="item_map.csv", user_offset=1)
    assert sizes(dataset) == (6040, 3706, 1_000_209)


def test_hm_fashion():
    dataset = load(
        real_data("hm-fashion"),
        interactions="interactions.parquet",
        items="items.csv",
        pictures="images/{item_id}.jpg",
        columns={"time": "date"},
    )
    assert sizes(dataset) == (10_326, 3433, 81_291)
    assert dataset.notes == ()
    split = split_dataset(dataset, SplitConfig(strategy="last"))
    assert (split.validation.nnz, split.test.nnz) == (10_326, 10_326)


def test_movielens_100k_of_recbole():
    dataset = load(real_data("movielens-100k-recbole"), source="recbole")
    assert sizes(dataset) == (943, 1682, 100_000)
    assert dataset.notes == ()
    assert split_dataset(dataset, SplitConfig(strategy="last")).test.nnz == 943
