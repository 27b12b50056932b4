"""Each mistake gets one sentence: the rule, the fact with its values, the way out."""

import gzip

import polars as pl
import pytest

from irisrec.errors import ConfigError, DataError
from irisrec.notes import counted
from tests.data.helpers import CSV, load, write


def refused(*expected, kind=DataError):
    return pytest.raises(kind, match="(?s)" + "".join(f"(?=.*{part})" for part in expected))


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path, pairs__csv=CSV)


def test_a_missing_folder(tmp_path):
    with refused("no folder .*nowhere", "--set data.root"):
        load(tmp_path / "nowhere")


def test_a_missing_file_names_the_folder_and_the_nearest_name(folder):
    with refused("no file 'pair.csv'", str(folder), "did you mean 'pairs.csv'", "set data.interactions"):
        load(folder, interactions="pair.csv")
    with refused("no file 'x.csv'", "no folder sub", "set data.items"):
        load(folder, items="sub/x.csv")


def test_a_missing_column_suggests_the_nearest(folder):
    write(folder, pairs__csv="userid,item_id\n1,2\n")
    with refused("no column 'user_id'", "did you mean 'userid'", "set data.columns.user"):
        load(folder)
    with refused("no column 'tme'", "set data.columns.time"):
        load(write(folder, pairs__csv=CSV), columns={"time": "tme"})
    with refused("no column 'plots'", "set data.columns.text"):
        load(
            write(folder, items__csv="item_id,plot\nmug,a\n"), items="items.csv", columns={"text": ["plots"]}
        )


def test_another_separator_is_noticed(folder):
    write(folder, pairs__csv=CSV.replace(",", ";"))
    with refused("no column 'user_id'", "separated by ';'", 'separator = ";"'):
        load(folder)


def test_a_column_that_stands_twice(folder):
    with refused("names a column more than once: 'item_id'"):
        load(write(folder, pairs__csv="user_id,item_id,item_id\n1,2,3\n"))


@pytest.mark.parametrize("content", ["", "\n\n", "user_id,item_id\n"])
def test_an_empty_table(folder, content):
    with refused("pairs.csv is empty"):
        load(write(folder, pairs__csv=content))


def test_an_empty_file_of_json_lines(folder):
    with refused("pairs.jsonl is empty"):
        load(write(folder, pairs__jsonl="\n"), interactions="pairs.jsonl")


@pytest.mark.parametrize("blank", ["", "  "])
def test_null_ids_are_counted_with_their_rows(folder, blank):
    with refused("item ids must not be null", "2 rows of 4 have none", "data rows 2, 4"):
        load(write(folder, pairs__csv=f"user_id,item_id\na,x\nb,{blank}\nc,y\nd,{blank}\n"))
    with refused("items.csv: item ids must not be null"):
        load(
            write(folder, pairs__csv=CSV, items__csv=f"item_id,title\nmug,a\n{blank},b\n"), items="items.csv"
        )


def test_null_ids_of_a_typed_table(folder):
    pl.DataFrame({"user_id": [1, None], "item_id": [1, 2]}).write_parquet(folder / "pairs.parquet")
    with refused("user ids must not be null", "1 row of 2"):
        load(folder, interactions="pairs.parquet")


def test_ids_that_are_neither_strings_nor_integers(folder):
    pl.DataFrame({"user_id": [1.5, 2.0], "item_id": [1, 2]}).write_parquet(folder / "pairs.parquet")
    with refused("user ids must be strings or integers", "fractions"):
        load(folder, interactions="pairs.parquet")
    pl.DataFrame({"user_id": [True], "item_id": [1]}).write_parquet(folder / "pairs.parquet")
    with refused("user ids must be strings or integers", "Boolean"):
        load(folder, interactions="pairs.parquet")


def test_id_kinds_that_differ_between_tables(folder):
    pl.DataFrame({"user_id": [1], "item_id": [5]}).write_parquet(folder / "pairs.parquet")
    write(folder, items__csv="item_id\n5\ntt07\n")
    with refused(
        "of one kind", "pairs.parquet has integers", "items.csv has strings such as 'tt07'", "data.id_type"
    ):
        load(folder, interactions="pairs.parquet", items="items.csv")


def test_ids_that_are_no_integers_where_integers_were_asked_for(folder):
    with refused("item ids must be integers", "5 rows of 5", "'mug', 'lamp', 'vase'"):
        load(folder, id_type="integer")


def test_a_catalog_that_speaks_of_other_items(folder):
    write(folder, items__csv="item_id\nsofa\nrug\n")
    with refused("none of the 3 items", "'mug'", "'sofa'", "data.columns.item_id"):
        load(folder, items="items.csv")


def test_an_item_that_stands_twice_in_the_catalog(folder):
    with refused("may stand once", "1 id", "'mug'"):
        load(write(folder, items__csv="item_id\nmug\nlamp\nmug\n"), items="items.csv")


@pytest.mark.parametrize(("row", "fields"), [("b", "1 field"), ("b,y,z", "3 fields")])
def test_a_malformed_row_is_shown_with_its_number(folder, row, fields):
    with refused("pairs.csv: row 3", fields, "2 are expected"):
        load(write(folder, pairs__csv=f"user_id,item_id\na,x\n{row}\nc,y\n"))


def test_a_quote_that_never_ends(folder):
    with refused("pairs.csv: the quote before 'x b,y c,z' never ends"):
        load(write(folder, pairs__csv='user_id,item_id\na,"x\nb,y\nc,z\n'))


def test_a_line_that_is_no_json(folder):
    with refused("line 2 is not a JSON object", "oops"):
        load(write(folder, pairs__jsonl='{"user_id": 1, "item_id": 2}\noops\n'), interactions="pairs.jsonl")


def test_files_that_are_not_what_their_names_say(folder):
    with refused("not a readable Parquet file"):
        load(write(folder, pairs__parquet="user_id,item_id\n"), interactions="pairs.parquet")
    with refused("not a whole gzip file"):
        load(write(folder, cut__csv__gz=gzip.compress(CSV.encode())[:-9]), interactions="cut.csv.gz")
    with refused("suffix '.xlsx'", "known are"):
        load(write(folder, pairs__xlsx="x"), interactions="pairs.xlsx")


def test_unparsable_times_and_numbers_are_shown_with_their_rows(folder):
    rows = "user_id,item_id,time,rating\na,x,5,1\nb,y,yesterday,good\n"
    with refused("'time' must hold a number or a date", "1 row of 2 does not: 'yesterday'", "data row 2"):
        load(write(folder, pairs__csv=rows))
    with refused("'rating' must hold a number", "'good'", "data.columns.rating"):
        load(write(folder, pairs__csv=rows.replace("yesterday", "6")))


TITLES = "item_id,title\nmug,Café\nlamp,b\nvase,c\n"


def test_a_wrong_encoding_is_named_with_its_line_and_byte(folder):
    with refused("items.csv is not UTF-8", "line 2 has the byte 0xe9 at offset 21", "latin-1", "encoding ="):
        load(write(folder, items__csv=TITLES.encode("latin-1")), items="items.csv")
    file = {"path": "items.csv", "encoding": "latin-1"}
    assert load(folder, items=file).catalog.titles[0] == "Café"


def test_utf8_read_as_latin1_is_refused_and_not_turned_into_nonsense(folder):
    with refused("items.csv is UTF-8", "leave out the encoding"):
        load(write(folder, items__csv=TITLES), items={"path": "items.csv", "encoding": "latin-1"})


def test_utf16_read_as_utf8_is_refused(folder):
    with refused("not UTF-8", "utf-16"):
        load(write(folder, pairs__csv=CSV.encode("utf-16")))
    with refused("NUL byte in line 1", "UTF-16"):
        load(write(folder, pairs__csv=CSV.encode("utf-16-le")))


def test_bytes_that_the_declared_encoding_does_not_have(folder):
    with refused("items.csv is not ascii text", "line 2"):
        load(write(folder, items__csv=TITLES), items={"path": "items.csv", "encoding": "ascii"})


@pytest.mark.parametrize(
    "title", ["CafÃ©", "Caf�", "It\x92s", "Itâ€™s"], ids=["utf-8 as latin-1", "replaced", "cp1252", "quote"]
)
def test_text_that_was_wrongly_decoded_before_is_counted(folder, title):
    write(folder, items__csv=TITLES.replace("Café", title))
    notes = load(folder, items="items.csv").notes
    assert counted(notes) == {"looks_wrongly_decoded": 1}
    assert notes[0].warning


def test_an_unknown_encoding(folder):
    with refused("unknown encoding 'latin-99'", kind=ConfigError):
        load(folder, items={"path": "items.csv", "encoding": "latin-99"})
