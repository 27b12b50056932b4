"""The built-in shop: the truth that is planted, and what can be found of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from irisrec.data.config import DataConfig, TableFile
from irisrec.data.dataset import Dataset
from irisrec.data.load import load_dataset
from irisrec.data.planted import Shop, ShopOptions, load_shop, make_shop
from irisrec.data.planted.patterns import STYLES
from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.texts import DETAILS, OPENINGS
from irisrec.data.planted.themes import THEMES
from irisrec.errors import ConfigError, DataError
from irisrec.features.encode import encode_catalog


@pytest.fixture(scope="module")
def shop() -> Shop:
    return make_shop()


@pytest.fixture(scope="module")
def small() -> Shop:
    return make_shop(seed=3, n_users=40, n_items=60)


def traits(shop: Shop) -> dict[str, np.ndarray]:
    ends = np.cumsum([shop.options.n_styles, shop.options.n_themes])
    parts = np.split(shop.item_interests, ends, axis=1)
    return {name: part.argmax(1) for name, part in zip(("style", "theme", "kind"), parts, strict=True)}


def test_it_has_about_600_items_and_3000_users_with_a_handful_of_interactions_each(shop: Shop) -> None:
    counts = shop.interactions.frame["user_id"].value_counts()["count"]
    assert (len(shop.catalog), len(counts)) == (600, 3000)
    assert counts.min() >= 5
    assert 8 < counts.mean() < 10
    assert shop.interactions.frame["item_id"].n_unique() == 600


def test_no_user_has_an_item_twice_and_all_interactions_have_times(shop: Shop) -> None:
    frame = shop.interactions.frame
    assert not frame.select("user_id", "item_id").is_duplicated().any()
    assert frame["time"].null_count() == 0


def test_every_cause_is_an_interest_of_its_user_and_is_carried_by_its_item(shop: Shop) -> None:
    caused = shop.causes.filter(pl.col("interest").is_not_null())
    users = caused["user_id"].str.slice(1).cast(int).to_numpy() - 1
    items = caused["item_id"].str.slice(1).cast(int).to_numpy() - 1
    causes = caused["interest"].to_numpy()
    assert (shop.user_interests[users, causes] > 0).all()
    assert shop.item_interests[items, causes].all()


def test_the_share_of_noise_is_as_asked_and_all_three_kinds_of_cause_are_common(shop: Shop) -> None:
    shares = dict(shop.causes["modality"].value_counts(normalize=True).iter_rows())
    assert shares[None] == pytest.approx(shop.options.noise, abs=0.03)
    assert min(shares["image"], shares["text"], shares["both"]) > 0.15


def test_causes_and_interactions_are_the_same_rows(shop: Shop) -> None:
    pairs = ["user_id", "item_id"]
    assert shop.causes.select(pairs).equals(shop.interactions.frame.select(pairs))


def test_users_have_a_few_interests_with_shares_that_sum_to_one(shop: Shop) -> None:
    numbers = (shop.user_interests > 0).sum(1)
    assert (numbers.min(), numbers.max()) == (2, 4)
    np.testing.assert_allclose(shop.user_interests.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize(("one", "other"), [("style", "theme"), ("style", "kind"), ("theme", "kind")])
def test_traits_are_independent_of_each_other(shop: Shop, one: str, other: str) -> None:
    found = traits(shop)
    table = np.histogram2d(found[one], found[other], bins=(found[one].max() + 1, found[other].max() + 1))[0]
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    chi2 = ((table - expected) ** 2 / expected).sum()
    assert abs(chi2 - freedom) < 4 * np.sqrt(2 * freedom)


def test_a_title_names_the_kind_and_nothing_of_style_or_theme(shop: Shop) -> None:
    kinds = traits(shop)["kind"]
    names, rest = zip(*(title.split(" ", 1) for title in shop.catalog.titles), strict=True)
    assert list(rest) == [KINDS[kind].name for kind in kinds]
    assert len(set(shop.catalog.titles)) == 600
    assert not {name.lower() for name in names} & {
        word.strip(".,").lower() for theme in THEMES for text in theme.stories for word in text.split()
    }


def test_texts_are_long_enough_to_learn_from_and_short_enough_to_read(shop: Shop) -> None:
    lengths = [len(text.split()) for text in shop.catalog.texts if text]
    assert min(lengths) >= 25
    assert max(lengths) <= 70
    assert len(set(shop.catalog.texts)) == 600


def test_texts_say_nothing_of_colour_or_pattern() -> None:
    styles = {word.lower() for style in STYLES for word in style.name.split()} - {"on", "and", "deep", "pale"}
    said = [text for theme in THEMES for text in (*theme.materials, *theme.stories, *theme.occasions)]
    said += [text for texts in (*OPENINGS.values(), *DETAILS.values()) for text in texts]
    words = {word.strip(".,:;").lower() for text in said for word in text.split()}
    assert not words & styles


def test_every_kind_has_its_sentences() -> None:
    assert set(OPENINGS) == set(DETAILS) == {kind.name for kind in KINDS}


def test_the_same_options_give_the_same_shop_and_another_seed_another(small: Shop) -> None:
    again, other = make_shop(3, 40, 60), make_shop(4, 40, 60)
    assert again.interactions.frame.equals(small.interactions.frame)
    assert again.catalog.frame.equals(small.catalog.frame)
    assert again.pictures[7].tobytes() == small.pictures[7].tobytes() == small.pictures[5:9][2].tobytes()
    assert not other.interactions.frame.equals(small.interactions.frame)


def test_options_of_the_users_leave_the_catalog_as_it_is(small: Shop) -> None:
    assert make_shop(3, 90, 60, noise=0.5).catalog.frame.equals(small.catalog.frame)


def test_pictures_are_small_colour_pictures_and_each_item_has_its_own(small: Shop) -> None:
    pictures = list(small.pictures)
    assert {(p.size, p.mode) for p in pictures} == {((128, 128), "RGB")}
    assert len({p.tobytes() for p in pictures}) == len(pictures)


def test_written_files_are_an_ordinary_data_set(small: Shop, tmp_path: Path) -> None:
    written = small.write(tmp_path / "shop")
    assert all(Path(path).is_file() for path in written.catalog.pictures if path)
    config = DataConfig(
        root=tmp_path / "shop",
        interactions=TableFile(path="interactions.csv"),
        items=TableFile(path="items.csv"),
        pictures="picture",
    )
    dataset = load_dataset(config)
    assert same_data(dataset, Dataset.build(small.interactions, small.catalog))
    assert all(Path(path).is_file() for path in dataset.catalog.pictures if path)


def same_data(one: Dataset, other: Dataset) -> bool:
    same_pairs = (one.matrix != other.matrix).nnz == 0
    return one.users == other.users and one.items == other.items and same_pairs


def test_it_is_written_once_and_read_back_the_same(small: Shop, tmp_path: Path) -> None:
    first = load_shop(tmp_path, small.options)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    second = load_shop(tmp_path, small.options.model_dump())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert same_data(first, second)
    assert same_data(first, Dataset.build(small.interactions, small.catalog))


def test_other_options_lie_beside_the_first_and_a_cut_off_draft_is_never_read(tmp_path: Path) -> None:
    options = ShopOptions(n_users=10, n_items=20)
    (tmp_path / ".shop-draft").mkdir()
    load_shop(tmp_path, options)
    load_shop(tmp_path, options.model_copy(update={"seed": 1}))
    assert len(list(tmp_path.glob("shop-*/shop.json"))) == 2


def test_a_folder_with_another_shop_than_its_name_says_is_refused(tmp_path: Path) -> None:
    options = ShopOptions(n_users=10, n_items=20)
    load_shop(tmp_path, options)
    (stamp,) = tmp_path.glob("shop-*/shop.json")
    stamp.write_text("{}")
    with pytest.raises(DataError, match="holds another shop"):
        load_shop(tmp_path, options)


def test_unknown_and_impossible_options_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"unknown option data.shop.nois.*did you mean 'noise'"):
        make_shop(nois=0.1)
    with pytest.raises(ConfigError, match="min_interests <= max_interests"):
        make_shop(min_interests=5)


def neighbour_share(values: np.ndarray, labels: np.ndarray, k: int = 10) -> float:
    """Share of the k nearest neighbours by cosine that have the same label."""
    centred = values - values.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -2)
    nearest = np.argsort(-cosine, axis=1)[:, :k]
    return float((labels[nearest] == labels[:, None]).mean())


def test_each_modality_shows_its_own_trait_and_the_kind_and_not_the_others(tmp_path: Path) -> None:
    written = make_shop(n_users=2, n_items=320, n_styles=10, n_themes=10, n_kinds=8).write(tmp_path)
    encoded = encode_catalog(
        written.catalog, {"image": {"encoder": "colour-hog"}, "text": {"encoder": "doc2vec"}}
    )
    found = traits(written)
    share = {
        (modality, trait): neighbour_share(table.values, labels)
        for modality, table in encoded.tables.items()
        for trait, labels in found.items()
    }
    assert share["image", "style"] > 0.6
    assert share["text", "theme"] > 0.5
    assert min(share["image", "kind"], share["text", "kind"]) > 0.3  # chance is 1 in 8
    assert max(share["image", "theme"], share["text", "style"]) < 0.14  # chance is 1 in 10
