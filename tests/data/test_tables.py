import datetime as dt
import gzip
import json

import polars as pl
import pytest

from irisrec.notes import counted
from tests.data.helpers import CSV, PAIRS, load, pairs_of, write


def test_the_same_pairs_come_from_every_format(tmp_path):
    frame = pl.DataFrame(PAIRS, schema=["user_id", "item_id"], orient="row")
    frame.write_parquet(tmp_path / "pairs.parquet")
    frame.write_ndjson(tmp_path / "pairs.jsonl")
    write(
        tmp_path,
        pairs__csv=CSV,
        pairs__tsv=CSV.replace(",", "\t"),
        pairs__csv__gz=gzip.compress(CSV.encode()),
    )
    prints = set()
    for suffix in ("csv", "tsv", "csv.gz", "parquet", "jsonl"):
        dataset = load(tmp_path, interactions=f"pairs.{suffix}")
        assert pairs_of(dataset) == PAIRS
        prints.add(dataset.fingerprint)
    assert len(prints) == 1


def test_columns_may_have_any_name(tmp_path):
    write(tmp_path, pairs__csv="when,who,what\n3,ann,mug\n", items__csv="sku,label,a,b\nmug,A mug,big,\n")
    columns = {
        "user": "who",
        "item": "what",
        "time": "when",
        "item_id": "sku",
        "title": "label",
        "text": ["a", "b"],
    }
    dataset = load(tmp_path, items="items.csv", columns=columns)
    assert dataset.times.to_list() == [3]
    assert dataset.catalog.titles == ["A mug"]
    assert dataset.catalog.texts == ["big"]
    assert dataset.catalog.frame.columns == ["item_id", "title", "text", "picture", "a", "b"]


def test_texts_of_several_columns_are_joined_line_by_line_and_absent_ones_stay_null(tmp_path):
    write(tmp_path, pairs__csv=CSV, items__csv="item_id,a,b\nmug,one,two\nlamp,,two\nvase,,\n")
    dataset = load(tmp_path, items="items.csv", columns={"text": ["a", "b"]})
    assert dataset.catalog.texts == ["one\ntwo", "two", None]


def test_other_columns_of_the_catalog_are_kept_with_their_types(tmp_path):
    items = "item_id,price,year,code,note\nmug,1.5,1999,007,\nlamp,2.0,,008,x\nvase,10.25,2001,009,\n"
    frame = load(write(tmp_path, pairs__csv=CSV, items__csv=items), items="items.csv").catalog.frame
    assert frame["price"].to_list() == [1.5, 2.0, 10.25]
    assert frame["year"].to_list() == [1999, None, 2001]
    assert frame["code"].to_list() == ["007", "008", "009"]
    assert frame["note"].to_list() == [None, "x", None]


def test_plain_integers_become_integer_ids_unless_asked_otherwise(tmp_path):
    write(tmp_path, pairs__csv="user_id,item_id\n7,10\n8,11\n")
    assert load(tmp_path).users.ids([0, 1]) == [7, 8]
    assert load(tmp_path, id_type="string").users.ids([0, 1]) == ["7", "8"]


def test_one_id_that_is_no_plain_integer_makes_all_of_them_strings(tmp_path):
    write(tmp_path, pairs__csv="user_id,item_id\n7,10\n8,011\n")
    dataset = load(tmp_path)
    assert dataset.users.kind == "integer"
    assert dataset.items.ids([0, 1]) == ["10", "011"]


def test_blanks_around_ids_and_column_names_do_not_count(tmp_path):
    write(tmp_path, pairs__csv="user_id, item_id\n7, 10\n8, 11\n")
    assert load(tmp_path).items.ids([0, 1]) == [10, 11]


def test_text_ids_follow_the_kind_of_a_typed_table(tmp_path):
    pl.DataFrame({"user_id": ["1"], "item_id": ["5"]}).write_parquet(tmp_path / "pairs.parquet")
    write(tmp_path, items__csv="item_id\n5\n6\n")
    dataset = load(tmp_path, interactions="pairs.parquet", items="items.csv")
    assert dataset.items.ids([0]) == ["5"]
    assert dataset.users.ids([0]) == ["1"]


def test_whole_floats_of_a_typed_table_are_integer_ids(tmp_path):
    pl.DataFrame({"user_id": [1.0, 2.0], "item_id": [5, 6]}).write_parquet(tmp_path / "pairs.parquet")
    assert load(tmp_path, interactions="pairs.parquet").users.ids([0, 1]) == [1, 2]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["5", "", "7"], [5, None, 7]),
        (["5.5", "NaN", "7"], [5.5, None, 7.0]),
        (["2024-01-31", "", "2024-02-01"], [dt.date(2024, 1, 31), None, dt.date(2024, 2, 1)]),
        (
            ["2024-01-31T10:00:00", "", "2024-02-01 11:30:00"],
            [dt.datetime(2024, 1, 31, 10), None, dt.datetime(2024, 2, 1, 11, 30)],
        ),
    ],
)
def test_times_are_numbers_dates_or_dates_with_times(tmp_path, written, read):
    rows = "".join(f"ann,{item},{time}\n" for item, time in zip("abc", written, strict=True))
    dataset = load(write(tmp_path, pairs__csv="user_id,item_id,time\n" + rows))
    assert dataset.times.to_list() == read


def test_times_with_zones_are_compared_as_instants(tmp_path):
    rows = "ann,mug,2024-01-01T10:00:00+02:00\nann,lamp,2024-01-01T09:00:00+00:00\n"
    times = load(write(tmp_path, pairs__csv="user_id,item_id,time\n" + rows)).times
    assert times[0] < times[1]


def test_a_file_without_a_header_gets_its_names_from_the_config(tmp_path):
    write(tmp_path, u__data="7|10|3\n8|11|4\n")
    file = {"path": "u.data", "separator": "|", "header": ["user_id", "item_id", "rating"]}
    assert load(tmp_path, interactions=file).users.ids([0, 1]) == [7, 8]


def test_separators_may_have_several_characters(tmp_path):
    write(tmp_path, pairs__txt='user_id::item_id\nann::a "mug"\n')
    dataset = load(tmp_path, interactions={"path": "pairs.txt", "separator": "::"})
    assert dataset.items.ids([0]) == ['a "mug"']


def test_quoted_fields_may_hold_separators_and_line_breaks(tmp_path):
    text = 'A "long"\nstory, with commas. ' + "x" * 2_000_000
    quoted = text.replace('"', '""')
    write(tmp_path, pairs__csv=CSV, items__csv=f'item_id,text\nmug,"{quoted}"\nlamp,short\nvase,\n')
    assert load(tmp_path, items="items.csv").catalog.texts == [text, "short", None]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    write(tmp_path, pairs__csv=b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())
    assert pairs_of(load(tmp_path)) == PAIRS


def test_languages_and_emoji_survive(tmp_path):
    title = "Žižkov – 寿司 🍣"
    write(tmp_path, pairs__csv=CSV, items__csv=f"item_id,title\nmug,{title}\nlamp,b\nvase,c\n")
    assert load(tmp_path, items="items.csv").catalog.titles[0] == title
    write(tmp_path, items__csv=f"item_id,title\nmug,{title}\nlamp,b\nvase,c\n".encode("utf-16"))
    file = {"path": "items.csv", "encoding": "utf-16"}
    assert load(tmp_path, items=file).catalog.titles[0] == title


def test_json_lines_keep_their_types(tmp_path):
    rows = [{"user_id": "7", "item_id": 1, "time": 2.5}, {"user_id": "8", "item_id": 2, "time": None}]
    write(tmp_path, pairs__jsonl="\n".join(map(json.dumps, rows)))
    dataset = load(tmp_path, interactions="pairs.jsonl")
    assert (dataset.users.kind, dataset.items.kind) == ("string", "integer")
    assert dataset.times.to_list() == [2.5, None]


def test_items_that_the_catalog_lacks_are_kept_and_counted(tmp_path):
    write(tmp_path, pairs__csv=CSV, items__csv="item_id,title\nsofa,Sofa\nlamp,Lamp\n")
    dataset = load(tmp_path, items="items.csv")
    assert dataset.items.ids(range(3)) == ["lamp", "mug", "vase"]
    assert dataset.catalog.titles == ["Lamp", "mug", "vase"]
    assert counted(dataset.notes) == {"unseen_items": 1, "items_without_catalog": 2}
    assert dataset.notes[1].examples == ("mug", "vase")
    assert dataset.notes[1].warning


def test_catalog_items_without_interactions_stay_as_candidates_when_asked(tmp_path):
    write(tmp_path, pairs__csv=CSV, items__csv="item_id\nsofa\nlamp\nmug\nvase\n")
    dataset = load(tmp_path, items="items.csv", filters={"unseen_items": "keep"})
    assert dataset.items.ids(range(4)) == ["sofa", "lamp", "mug", "vase"]


def test_a_column_hidden_by_another_is_said(tmp_path):
    write(tmp_path, pairs__csv=CSV, items__csv="item_id,title,label\nmug,a,x\nlamp,b,y\nvase,c,z\n")
    dataset = load(tmp_path, items="items.csv", columns={"title": "label"})
    assert dataset.catalog.titles == ["x", "y", "z"]
    assert counted(dataset.notes) == {"columns_replaced": 1}
