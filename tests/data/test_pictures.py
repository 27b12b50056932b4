import pytest

from irisrec.errors import DataError
from irisrec.notes import counted
from tests.data.helpers import CSV, load, write

ITEMS = "item_id,image,folder\nmug,a.png,one\nlamp,,one\nvase,gone.png,\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").mkdir()
    write(tmp_path / "one", mug__jpg="", lamp__jpg="")
    return write(tmp_path, pairs__csv=CSV, items__csv=ITEMS, a__png="")


def test_a_template_finds_pictures_and_missing_files_are_counted(folder):
    dataset = load(folder, pictures="one/{item_id}.jpg")
    assert dataset.catalog.pictures == [str(folder / "one/mug.jpg"), str(folder / "one/lamp.jpg"), None]
    assert counted(dataset.notes) == {"items_without_picture": 1}
    assert dataset.notes[0].examples == ("vase",)


def test_a_template_may_use_any_column_and_a_null_means_no_picture(folder):
    dataset = load(folder, items="items.csv", pictures="{folder}/{item_id}.jpg")
    assert dataset.catalog.pictures == [str(folder / "one/mug.jpg"), str(folder / "one/lamp.jpg"), None]


def test_a_column_may_hold_the_paths(folder):
    dataset = load(folder, items="items.csv", pictures="image")
    assert dataset.catalog.pictures == [str(folder / "a.png"), None, None]


def test_a_column_called_picture_is_taken_without_a_word(folder):
    write(folder, items__csv=ITEMS.replace("image", "picture"))
    assert load(folder, items="items.csv").catalog.pictures == [str(folder / "a.png"), None, None]


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ("one/{id}.jpg", "catalog column 'id'"),
        ("imag", "did you mean 'image'"),
        ("one/{item_id", "not a path with columns in braces"),
        ("two/{item_id}.jpg", "none of the 3 items has a picture file .*two/mug.jpg"),
    ],
)
def test_pictures_that_cannot_be_found_at_all_are_an_error(folder, pictures, message):
    with pytest.raises(DataError, match=message):
        load(folder, items="items.csv", pictures=pictures)
