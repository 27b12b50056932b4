import pytest

from irisrec.data.config import SplitConfig
from irisrec.data.splits import split_dataset
from irisrec.errors import ConfigError, DataError
from irisrec.notes import counted
from tests.data.helpers import load, pairs_of, write

FILES = {
    "train__tsv": "0\t0\n0\t1\n1\t0\n1\t2\n1\t3\n",
    "test__rating": "0\t2\t5\t978\n1\t1\t3\t979\n",
    "test__negative": "(0,2)\t3\t4\n(1,1)\t4\t1\n",
    "map__csv": "ncf_item,movieId\n0,100\n1,101\n2,102\n3,103\n4,104\n",
    "movies__csv": "movieId,title\n" + "".join(f"{i},Movie {i}\n" for i in range(100, 105)),
}
SOURCE = {
    "source": "ncf",
    "interactions": "train.tsv",
    "test": "test.rating",
    "item_map": "map.csv",
    "user_offset": 1,
    "items": "movies.csv",
    "columns": {"item_id": "movieId"},
    "filters": {"unseen_items": "keep"},
}
SPLIT = {
    "strategy": "files",
    "format": "ncf",
    "test": "test.rating",
    "negatives": "test.negative",
    "item_map": "map.csv",
    "user_offset": 1,
    "validation": False,
}


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path, **FILES)


def test_numbers_lead_back_to_the_original_ids(folder):
    dataset = load(folder, **SOURCE)
    assert pairs_of(dataset)[:2] == [(1, 100), (1, 101)]
    assert pairs_of(dataset)[-2:] == [(1, 102), (2, 101)]
    assert dataset.catalog.titles[4] == "Movie 104"
    assert dataset.times is None


def test_without_a_map_the_numbers_are_the_ids(folder):
    dataset = load(folder, source="ncf", interactions="train.tsv")
    assert pairs_of(dataset) == [(0, 0), (0, 1), (1, 0), (1, 2), (1, 3)]


def test_the_published_test_is_held_out_and_its_faulty_negative_dropped(folder):
    dataset = load(folder, **SOURCE)
    split = split_dataset(dataset, SplitConfig.read(SPLIT), folder)
    assert pairs_of(dataset, split.test) == [(1, 102), (2, 101)]
    assert pairs_of(dataset, split.negatives) == [(1, 103), (1, 104), (2, 104)]
    assert split.train.nnz == 5
    assert counted(split.notes) == {"negatives_are_targets": 1}
    assert split.notes[0].examples == ((2, 101),)


def test_the_same_files_split_a_dataset_with_string_ids(folder):
    dataset = load(folder, **{**SOURCE, "item_map": None, "items": None, "columns": {}, "id_type": "string"})
    split = split_dataset(dataset, SplitConfig.read(SPLIT | {"item_map": None}), folder)
    assert pairs_of(dataset, split.test) == [("1", "2"), ("2", "1")]
    assert counted(split.notes) == {
        "unknown_negatives": 2,
        "negatives_are_targets": 1,
        "users_without_negatives": 1,
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"map__csv": "ncf_item,movieId\n0,100\n1,101\n"}, "leads 2 item numbers nowhere: 2, 3"),
        ({"train__tsv": "0\tx\n"}, "item ids must be integers"),
        ({"train__tsv": "0\n1\n"}, "2 to 4 fields expected in each line .* got 1"),
        ({"test__rating": ""}, "test.rating is empty"),
    ],
)
def test_files_of_another_kind_are_refused(folder, files, message):
    with pytest.raises(DataError, match=message):
        load(write(folder, **files), **SOURCE)


@pytest.mark.parametrize(
    ("negatives", "message"),
    [("(0,2)\t3\n(1;1)\t4\n", "line 2 must be .user,item. and items"), ("\n", "test.negative is empty")],
)
def test_negatives_of_another_kind_are_refused(folder, negatives, message):
    dataset = load(folder, **SOURCE)
    write(folder, test__negative=negatives)
    with pytest.raises(DataError, match=message):
        split_dataset(dataset, SplitConfig.read(SPLIT), folder)


def test_a_source_without_pairs_is_refused(folder):
    with pytest.raises(ConfigError, match="needs the file of the training pairs"):
        load(folder, source="ncf")
