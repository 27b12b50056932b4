import json

import numpy as np
import polars as pl
import pytest

from irisrec.data.sources.vectors import load_vectors
from irisrec.errors import DataError, FeatureError
from tests.data.helpers import write

IDS = ["b", "a", "c"]
VALUES = np.array([[1, 2], [3, 4], [5, 6.5]])


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    np.save(tmp_path / "ids.npy", np.array(IDS))
    np.savez(tmp_path / "v.npz", ids=np.array(IDS), values=VALUES)
    pl.DataFrame({"item_id": IDS, "v": VALUES.tolist()}).write_parquet(tmp_path / "lists.parquet")
    wide = {"x": VALUES[:, 0], "item_id": IDS, "y": VALUES[:, 1]}
    pl.DataFrame(wide).write_parquet(tmp_path / "wide.parquet")
    return write(
        tmp_path,
        ids__txt="b\na\nc\n",
        ids__csv="row,item_id\n0,b\n1,a\n2,c\n",
        one__csv="name\nb\na\nc\n",
        ids__json=json.dumps(IDS),
        ints__txt="7\n8\n9\n",
        two__txt="b\na\n",
        twice__txt="b\na\nb\n",
        kinds__json='["b", 1, "c"]',
    )


@pytest.mark.parametrize("ids", ["ids.txt", "ids.csv", "one.csv", "ids.json", "ids.npy"])
def test_an_array_takes_its_ids_from_any_list(folder, ids):
    items, values = load_vectors(folder / "v.npy", folder / ids)
    assert items.ids(range(3)) == IDS
    assert values.dtype == np.float32
    assert values.tolist() == VALUES.tolist()


@pytest.mark.parametrize("name", ["v.npz", "lists.parquet", "wide.parquet"])
def test_files_that_hold_both_need_no_other(folder, name):
    items, values = load_vectors(folder / name)
    assert items.ids(range(3)) == IDS
    assert values.tolist() == VALUES.tolist()


def test_ids_are_of_the_kind_that_the_items_have(folder):
    assert load_vectors(folder / "v.npy", folder / "ints.txt")[0].kind == "integer"
    assert load_vectors(folder / "v.npy", folder / "ints.txt", id_type="string")[0].ids([0]) == ["7"]


@pytest.mark.parametrize(
    ("array", "ids", "message"),
    [
        (VALUES, "two.txt", r"one row per item id expected, got 2 ids and values of shape \(3, 2\)"),
        (VALUES, "twice.txt", "1 id stands more than once: 'b'"),
        (VALUES[:, 0], "ids.txt", r"one vector per item expected, \(n, F\), got values of shape \(3,\)"),
        (VALUES[:, :0], "ids.txt", r"got values of shape \(3, 0\)"),
        (VALUES * [[1], [np.nan], [1]], "ids.txt", "must be finite in 32 bits, 1 of 3 are not: 'a'"),
        (VALUES * [[1], [1e300], [1]], "ids.txt", "must be finite in 32 bits, 1 of 3 are not: 'a'"),
        (VALUES.astype(str), "ids.txt", "vectors must be numbers, got <U"),
        (VALUES.astype(object), "ids.txt", "not a NumPy array of numbers or text"),
        (VALUES, "kinds.json", "must be a list of ids, all strings or all integers"),
        (VALUES, "v.npy", "ids must be a row of integers or text"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(folder, array, ids, message):
    path = folder / "bad.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises((FeatureError, DataError), match=message):
        load_vectors(path, folder / ids)


def test_an_array_without_ids_is_refused(folder):
    with pytest.raises(FeatureError, match=r"v.npy has vectors without ids"):
        load_vectors(folder / "v.npy")
    np.savez(folder / "bad.npz", values=VALUES)
    with pytest.raises(
        FeatureError, match="needs the arrays 'ids' and 'values', 'ids' is not among 'values'"
    ):
        load_vectors(folder / "bad.npz")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"item_id": IDS, "v": [[1.0], [1.0, 2.0], [3.0]]},
            "of one length, 1 of 3 have other lengths than 1: 'a'",
        ),
        ({"item_id": IDS, "v": [[1.0], None, [3.0]]}, "of one length, 1 of 3"),
        ({"item_id": IDS, "v": [[1.0], [None], [3.0]]}, "must be finite .* 'a'"),
        ({"item_id": IDS, "x": [1.0, None, 2.0]}, "must be finite .* 'a'"),
        ({"item_id": IDS, "x": ["1", "2", "3"]}, "columns of numbers expected beside 'item_id', 'x' are not"),
        (
            {"item_id": IDS, "v": [[1], [2], [3]], "y": [1, 2, 3]},
            "one column of lists or only columns of numbers",
        ),
        ({"item_id": IDS}, "no column beside 'item_id'"),
        ({"id": IDS, "x": [1, 2, 3]}, "no column 'item_id'"),
    ],
)
def test_parquet_that_does_not_fit_is_refused(folder, columns, message):
    pl.DataFrame(columns, strict=False).write_parquet(folder / "bad.parquet")
    with pytest.raises((FeatureError, DataError), match=message):
        load_vectors(folder / "bad.parquet")


def test_files_that_are_missing_or_of_another_kind_are_refused(folder):
    with pytest.raises(DataError, match=r"no file 'w.npy'.*did you mean 'v.npy'"):
        load_vectors(folder / "w.npy")
    with pytest.raises(DataError, match=r"no file 'ids.text'"):
        load_vectors(folder / "v.npy", folder / "ids.text")
    with pytest.raises(FeatureError, match=r"come as .npy, .npz or .parquet, got ids.csv"):
        load_vectors(folder / "ids.csv")
    with pytest.raises(FeatureError, match=r"not an .npz file"):
        load_vectors(write(folder, torn__npz="PK") / "torn.npz")
