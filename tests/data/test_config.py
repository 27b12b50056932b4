import pytest

from irisrec.data.config import DataConfig, SplitConfig
from irisrec.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"source = 'tables' needs the file of the interactions; set data.interactions"),
        ({"source": "movielense"}, "option data.source: input should be 'tables', 'movielens'"),
        ({"interaction": "x.csv"}, r"unknown option data.interaction; did you mean 'interactions'"),
        (
            {"interactions": {"path": "x", "encodin": "a"}},
            r"data.interactions.encodin; did you mean 'encoding'",
        ),
        ({"interactions": {"encoding": "utf-8"}}, r"option data.interactions.path is required"),
        (
            {"interactions": "x.csv", "plots": "p.csv"},
            r"data.plots belongs to source = 'movielens', got .*'tables'",
        ),
        ({"interactions": "x.csv", "shop": {"n_users": 5}}, r"data.shop belongs to source = 'shop'"),
        (
            {"source": "shop", "shop": {"n_user": 5}},
            r"unknown option data.shop.n_user; did you mean 'n_users'",
        ),
        ({"source": "shop", "items": "x.csv"}, "source = 'shop' generates its tables"),
        (
            {"source": "ncf", "interactions": "x", "item_map": "y", "id_type": "string"},
            "leads to integer ids",
        ),
    ],
)
def test_a_data_section_that_does_not_fit_is_one_sentence(options, message):
    with pytest.raises(ConfigError, match=message):
        DataConfig.read(options, "data")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "files"}, r"needs the file of the test pairs; set split.test"),
        ({"test": "x.csv"}, r"split.test needs strategy = 'files', got strategy = 'random'"),
        ({"strategy": "files", "test": "x", "user_offset": 1}, "belong to format = 'ncf'"),
        ({"strategy": "latest"}, "option split.strategy: input should be 'random', 'last', 'ratio'"),
    ],
)
def test_a_split_section_that_does_not_fit_is_one_sentence(options, message):
    with pytest.raises(ConfigError, match=message):
        SplitConfig.read(options, "split")


def test_a_resolved_config_reads_back_as_the_same():
    sections = [
        (
            DataConfig,
            {"interactions": "x.csv", "columns": {"text": ["a", "b"]}, "filters": {"catalog": {"a": [1]}}},
        ),
        (DataConfig, {"source": "shop", "shop": {"n_users": 50}}),
        (SplitConfig, {"strategy": "files", "test": {"path": "t.txt", "header": ["user_id", "item_id"]}}),
    ]
    for section, options in sections:
        config = section.read(options)
        assert section.read(config.model_dump(mode="json")) == config
        assert section.read(config.model_dump(mode="json", exclude_none=True)) == config


def test_the_generated_shop_is_a_source(tmp_path):
    from irisrec.data.load import load_dataset

    shop = {"n_users": 12, "n_items": 20}
    config = DataConfig.read({"source": "shop", "root": tmp_path, "shop": shop}, "data")
    assert config.shop["noise"] > 0
    dataset = load_dataset(config)
    assert dataset.n_users == 12
    assert all(dataset.catalog.pictures)


@pytest.mark.parametrize(
    ("strategy", "validation", "chosen"),
    [
        ("random", True, "random"),
        ("last", True, "last"),
        ("last", "random", "random"),
        ("random", False, None),
    ],
)
def test_validation_is_chosen_like_the_test_unless_told_otherwise(strategy, validation, chosen):
    assert SplitConfig(strategy=strategy, validation=validation).validation_strategy == chosen
