import polars as pl
import pytest

from irisrec.data.config import SplitConfig
from irisrec.data.splits import split_dataset
from irisrec.errors import DataError
from irisrec.notes import counted
from tests.data.helpers import dataset_of, pairs_of, write

PAIRS = [("ann", "a"), ("ann", "b"), ("ann", "c"), ("bob", "a"), ("bob", "d"), ("cleo", "b")]


def split(folder, **options):
    dataset = dataset_of(PAIRS)
    config = SplitConfig.read({"strategy": "files", "validation": False, **options}, "split")
    result = split_dataset(dataset, config, folder)
    names = ("train", "validation", "test")
    return result, {name: pairs_of(dataset, getattr(result, name)) for name in names}, dataset


def test_test_pairs_leave_the_training_part_and_a_user_may_have_several(tmp_path):
    write(tmp_path, test__csv="user_id,item_id\nann,b\nann,a\nbob,d\n")
    result, parts, _ = split(tmp_path, test="test.csv")
    assert parts["test"] == [("ann", "a"), ("ann", "b"), ("bob", "d")]
    assert parts["train"] == [("ann", "c"), ("bob", "a"), ("cleo", "b")]
    assert result.negatives is None
    assert result.notes == ()


def test_unknown_repeated_and_new_pairs_are_counted(tmp_path):
    write(tmp_path, test__csv="user_id,item_id\nann,b\nann,b\nzoe,a\nann,zzz\ncleo,d\n")
    result, parts, _ = split(tmp_path, test="test.csv")
    assert parts["test"] == [("ann", "b"), ("cleo", "d")]
    assert counted(result.notes) == {"unknown_test": 2, "repeated_test": 1, "new_test": 1}
    assert result.notes[0].examples == (("zoe", "a"), ("ann", "zzz"))


def test_validation_comes_from_a_file_or_from_what_remains(tmp_path):
    write(tmp_path, test__csv="user_id,item_id\nann,b\n", val__csv="who,what\nann,b\nann,c\nbob,a\n")
    pl.DataFrame({"who": ["ann"], "what": ["b"]}).write_parquet(tmp_path / "test.parquet")
    result, parts, _ = split(
        tmp_path, test="test.parquet", validation_pairs="val.csv", user="who", item="what"
    )
    assert parts["validation"] == [("ann", "c"), ("bob", "a")]
    assert parts["train"] == [("ann", "a"), ("bob", "d"), ("cleo", "b")]
    assert counted(result.notes) == {"validation_in_test": 1}
    result, parts, _ = split(tmp_path, test="test.csv", validation=True)
    assert [user for user, _ in parts["validation"]] == ["ann", "bob"]
    assert len(parts["train"]) == 3
    assert counted(result.notes) == {"users_without_validation": 1}


def test_a_user_whose_whole_history_is_held_out_is_counted(tmp_path):
    result, _, _ = split(write(tmp_path, test__csv="user_id,item_id\ncleo,b\n"), test="test.csv")
    assert counted(result.notes) == {"users_without_history": 1}
    assert result.notes[0].examples == ("cleo",)


def test_negatives_that_are_targets_are_dropped_and_counted(tmp_path):
    write(
        tmp_path,
        test__csv="user_id,item_id\nann,b\nbob,d\n",
        neg__csv="user_id,item_id\nann,b\nann,d\nann,d\nann,a\nzoe,a\n",
    )
    result, _, dataset = split(tmp_path, test="test.csv", negatives="neg.csv")
    assert pairs_of(dataset, result.negatives) == [("ann", "a"), ("ann", "d")]
    assert counted(result.notes) == {
        "unknown_negatives": 1,
        "repeated_negatives": 1,
        "negatives_are_targets": 1,
        "negatives_in_history": 1,
        "users_without_negatives": 1,
    }


def test_files_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"no file 'test.csv'.*set split.test"):
        split(tmp_path, test="test.csv")
    write(tmp_path, test__csv="user,item\nann,b\n", other__csv="user_id,item_id\n1,2\n")
    with pytest.raises(DataError, match=r"no column 'user_id'.*set split.user"):
        split(tmp_path, test="test.csv")
    with pytest.raises(
        DataError, match=r"none of the 1 pairs .* the first is \('1', '2'\); ids there are such as"
    ):
        split(tmp_path, test="other.csv")
