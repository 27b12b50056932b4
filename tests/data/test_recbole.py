import pytest

from irisrec.errors import DataError
from tests.data.helpers import load, pairs_of, write

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\ta\t3\t88.5\n2\tb\t4\t89\n"
ITEM = 'item_id:token\tmovie_title:token_seq\tprice:float\tclass:token_seq\na\t"Quoted" Tale\t2\tOne Two\nb\tB\t\t\n'


def test_atomic_files_are_read_by_their_typed_headers(tmp_path):
    dataset = load(write(tmp_path, x__inter=INTER, x__item=ITEM), source="recbole")
    assert pairs_of(dataset) == [(1, "a"), (2, "b")]
    assert dataset.times.to_list() == [88.5, 89.0]
    assert dataset.catalog.titles == ['"Quoted" Tale', "B"]
    assert dataset.catalog.frame["class"].to_list() == ["One Two", None]
    assert dataset.catalog.frame["price"].to_list() == [2, None]


def test_the_items_are_optional_and_any_column_can_be_named(tmp_path):
    write(tmp_path, x__inter=INTER.replace("user_id", "who"))
    dataset = load(tmp_path, source="recbole", columns={"user": "who"})
    assert dataset.catalog.titles == ["a", "b"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no RecBole folder"),
        ({"x__inter": INTER, "y__inter": INTER}, r"2 files \*.inter: 'x.inter', 'y.inter'; choose one with"),
        ({"x__inter": "user_id\titem_id:token\n1\t2\n"}, "name:type .* wrong are 'user_id'"),
        ({"x__inter": INTER.replace("\t3\t", "\tgood\t")}, "'rating' must hold a number"),
    ],
)
def test_folders_and_headers_of_another_kind_are_refused(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, **files), source="recbole")
