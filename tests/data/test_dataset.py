import subprocess
import sys

import polars as pl
import pytest

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset, Filters
from irisrec.data.interactions import Interactions
from irisrec.errors import ConfigError, DataError
from irisrec.notes import counted
from tests.data.helpers import PAIRS, dataset_of, load, pairs_of, write


def test_users_and_items_are_numbered_as_they_first_appear():
    dataset = dataset_of(PAIRS)
    assert dataset.users.ids(range(3)) == ["ann", "bob", "cleo"]
    assert dataset.items.ids(range(3)) == ["mug", "lamp", "vase"]
    assert dataset.matrix.toarray().tolist() == [[1, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert dataset.matrix.dtype == "float32"
    assert str(dataset) == "3 users, 3 items, 5 interactions (density 55.556%)"


def test_repeated_pairs_keep_the_last_by_time_and_the_order_of_the_rows():
    pairs = [("ann", "mug"), ("bob", "mug"), ("ann", "lamp"), ("ann", "mug"), ("bob", "mug")]
    dataset = dataset_of(pairs, times=[9, 1, 5, 2, None])
    assert pairs_of(dataset) == [("ann", "mug"), ("bob", "mug"), ("ann", "lamp")]
    assert dataset.times.to_list() == [9, 1, 5]
    assert counted(dataset.notes) == {"repeated_pairs": 2}
    assert dataset.notes[0].examples == (("ann", "mug"), ("bob", "mug"))


def test_repeated_pairs_without_times_or_at_one_time_keep_the_later_row():
    pairs = [("ann", "mug"), ("ann", "lamp"), ("ann", "mug")]
    assert pairs_of(dataset_of(pairs)) == [("ann", "lamp"), ("ann", "mug")]
    assert pairs_of(dataset_of(pairs, times=[4, 4, 4])) == [("ann", "lamp"), ("ann", "mug")]


def test_the_minimum_is_asked_for_until_stable():
    # vase goes for lack of users, then bob for lack of items, then mug for lack of users
    pairs = [("ann", "mug"), ("bob", "mug"), ("bob", "vase")]
    pairs += [(user, item) for user in ("cleo", "dan", "ann") for item in ("lamp", "rug", "sofa")]
    dataset = Dataset.build(
        Interactions(pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")),
        filters=Filters(min_user_interactions=2, min_item_interactions=2),
    )
    assert sorted(dataset.users.series) == ["ann", "cleo", "dan"]
    assert sorted(dataset.items.series) == ["lamp", "rug", "sofa"]
    assert counted(dataset.notes) == {"users_below_minimum": 1, "items_below_minimum": 2}


def test_a_minimum_that_leaves_nothing_is_an_error():
    filters = Filters(min_user_interactions=9)
    with pytest.raises(DataError, match=r"no interaction is left with at least 9 per user"):
        Dataset.build(
            Interactions(pl.DataFrame(PAIRS, schema=["user_id", "item_id"], orient="row")), None, filters
        )


RATED = "user_id,item_id,rating\nann,mug,5\nann,lamp,2\nbob,mug,\nbob,vase,3\n"
ITEMS = "item_id,colour,year\nmug,red,1999\nlamp,blue,2001\nvase,red,2001\n"


def test_low_ratings_are_left_out_and_null_ones_kept(tmp_path):
    dataset = load(write(tmp_path, pairs__csv=RATED), filters={"min_rating": 3})
    assert pairs_of(dataset) == [("ann", "mug"), ("bob", "mug"), ("bob", "vase")]
    assert counted(dataset.notes) == {"below_min_rating": 1, "without_rating": 1}


def test_ratings_that_are_missing_or_all_too_low_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"the highest is 5; lower data.filters.min_rating"):
        load(write(tmp_path, pairs__csv=RATED.replace(",\n", ",1\n")), filters={"min_rating": 6})
    with pytest.raises(DataError, match=r"needs ratings, there are none"):
        load(write(tmp_path, pairs__csv="user_id,item_id\na,b\n"), filters={"min_rating": 6})


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ({"colour": "red"}, ["mug", "vase"]),
        ({"year": [1999, 2001], "colour": ["blue", "green"]}, ["lamp"]),
    ],
)
def test_the_catalog_filters_items_and_their_interactions(tmp_path, wanted, left):
    write(tmp_path, pairs__csv=RATED, items__csv=ITEMS)
    dataset = load(tmp_path, items="items.csv", filters={"catalog": wanted})
    assert dataset.items.ids(range(len(left))) == left
    assert counted(dataset.notes)["items_filtered"] == 4 - dataset.n_interactions


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"color": "red"}, "names column 'color'; did you mean 'colour'"),
        (
            {"colour": "pink"},
            "no item of the catalog has colour = 'pink', values there are such as 'red', 'blue'",
        ),
        ({"year": "1999"}, "no item of the catalog has year = '1999', values there are such as 1999, 2001"),
    ],
)
def test_a_catalog_filter_that_fits_nothing_is_an_error(tmp_path, wanted, message):
    write(tmp_path, pairs__csv=RATED, items__csv=ITEMS)
    with pytest.raises(DataError, match=message):
        load(tmp_path, items="items.csv", filters={"catalog": wanted})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_user_interactions": 0}, "min_user_interactions: input should be greater than or equal to 1"),
        ({"unseen_items": "hide"}, "unseen_items: input should be 'drop' or 'keep', got 'hide'"),
        ({"catalog": {"colour": []}}, "no value of column 'colour' is given"),
        ({"min_ratings": 3}, "did you mean 'min_rating'"),
    ],
)
def test_filters_are_checked_when_the_config_is_read(options, message):
    with pytest.raises(ConfigError, match=message):
        Filters.read(options, "data.filters")


def test_kinds_of_ids_that_differ_are_an_error_also_without_files():
    catalog = Catalog.of(pl.DataFrame({"item_id": ["5"]}))
    with pytest.raises(DataError, match=r"one kind, got String \('5'\) and Int64 \(5\)"):
        Dataset.build(Interactions(pl.DataFrame({"user_id": [1], "item_id": [5]})), catalog)


def test_integers_of_any_width_are_the_same_ids():
    narrow = pl.DataFrame({"user_id": [1], "item_id": [5]}, schema={"user_id": pl.Int16, "item_id": pl.UInt8})
    dataset = Dataset.build(Interactions(narrow), Catalog.of(pl.DataFrame({"item_id": [5]})))
    assert dataset.items.ids([0]) == [5]
    assert not dataset.notes


def test_interactions_and_catalog_refuse_null_ids():
    with pytest.raises(DataError, match=r"item_id of interactions must not be null, 1 of 2 rows is"):
        Interactions(pl.DataFrame({"user_id": [1, 2], "item_id": [5, None]}))
    with pytest.raises(DataError, match=r"item_id of the catalog must not be null"):
        Catalog.of(pl.DataFrame({"item_id": ["a", None]}))


def test_the_fingerprint_is_the_same_in_every_process():
    code = "from tests.data.helpers import *; print(dataset_of(PAIRS, [1, 2, 3, None, 5]).fingerprint)"
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert prints == {dataset_of(PAIRS, [1, 2, 3, None, 5]).fingerprint}
    assert dataset_of(PAIRS).fingerprint == "ace55514a9b6b123a70d09df9095de1e70a47d6f12f9ac45669e14b96a4e5ac2"


def test_the_fingerprint_knows_every_difference_but_not_where_files_lie(tmp_path):
    def of(items=ITEMS, pairs=RATED, **options):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        write(folder, items__csv=items, pairs__csv=pairs, mug__png="", lamp__png="")
        return load(folder, items="items.csv", **options).fingerprint

    assert of() == of()
    assert of(pictures="{item_id}.png") == of(pictures="{item_id}.png") != of()
    others = [
        of(items=ITEMS.replace("blue", "blau")),
        of(items=ITEMS.replace("2001", "")),
        of(pairs=RATED.replace("ann", "Ann")),
        of(pairs=RATED.replace("lamp", "vase")),
        of(pairs=RATED.replace("rating", "time")),
        of(columns={"text": "colour"}),
    ]
    assert len({of(), *others}) == 7
