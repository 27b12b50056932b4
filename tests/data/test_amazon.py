import gzip
import json

import numpy as np
import polars as pl
import pytest

from irisrec.data.config import DataConfig
from irisrec.data.load import load_dataset
from irisrec.data.sources.amazon import load_amazon_2014, load_amazon_2023
from irisrec.data.sources.amazon_features import RECORD, read_image_features, save_image_features
from irisrec.data.sources.jsonlines import parse
from irisrec.errors import DataError
from irisrec.notes import counted

NO_PICTURE = "http://g-ecx.images-amazon.com/images/G/01/x-site/icons/no-img-sm._CB1.gif"


def gz(path, lines) -> None:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


@pytest.fixture
def folder_2014(tmp_path):
    reviews = [("U1", "B01", 5.0, 30), ("U1", "B02", 2.0, 20), ("U2", "B01", 4.0, 10), ("U2", "B04", 4.0, 40)]
    lines = [
        json.dumps({"reviewerID": u, "asin": i, "overall": r, "unixReviewTime": t, "reviewText": "né"})
        for u, i, r, t in reviews
    ]
    gz(tmp_path / "reviews_Baby_5.json.gz", lines)
    items = [
        {
            "asin": "B01",
            "title": "Bib 'blue' \"x\"",
            "price": 3.17,
            "imUrl": "http://h/1.jpg",
            "brand": "",
            "related": {"also_bought": ["B02"]},
            "categories": [["Baby", "Feeding", "Bibs"], ["Baby", "Gifts"]],
        },
        {"asin": "B02", "description": "Soft\n and warm.", "imUrl": NO_PICTURE, "categories": [[]]},
        {"asin": "B03", "title": "Nobody has it"},
    ]
    gz(tmp_path / "meta_Baby.json.gz", [repr(item) for item in items])
    return tmp_path


@pytest.fixture
def folder_2023(tmp_path):
    rows = [("U1", "P1", 1_588_687_728_923), ("U2", "P1", 1_588_687_728_924), ("U2", "P2", 1_400_000_000_000)]
    reviews = [
        {"user_id": u, "parent_asin": i, "asin": "child", "timestamp": t, "rating": 4.0, "images": []}
        for u, i, t in rows
    ]
    gz(tmp_path / "Gift_Cards.jsonl.gz", map(json.dumps, reviews))
    pictures = [
        {"thumb": "http://h/t1", "large": "http://h/l1", "variant": "PT01", "hi_res": None},
        {"thumb": "http://h/t0", "large": "http://h/l0", "variant": "MAIN", "hi_res": "http://h/h0"},
    ]
    items = [
        {
            "parent_asin": "P1",
            "title": "Card",
            "features": ["Plastic", "Red"],
            "description": ["A gift."],
            "price": "$1,025.00",
            "store": "Shop",
            "images": pictures,
            "categories": ["Gift Cards", "Plastic"],
        },
        {
            "parent_asin": "P2",
            "title": "Box",
            "features": [],
            "description": [],
            "price": "from 9.99",
            "images": {"hi_res": [None], "large": ["http://h/b0"], "thumb": ["http://h/bt"]},
            "main_category": "All",
            "categories": [],
        },
    ]
    gz(tmp_path / "meta_Gift_Cards.jsonl.gz", map(json.dumps, items))
    return tmp_path


def test_the_2014_files_become_interactions_and_a_catalog(folder_2014):
    loaded = load_amazon_2014(DataConfig(root=folder_2014, source="amazon-2014"))
    frame = loaded.interactions.frame
    assert frame.select("user_id", "item_id", "time").rows()[0] == ("U1", "B01", 30)
    assert frame["rating"].to_list() == [5.0, 2.0, 4.0, 4.0]
    rows = loaded.catalog.frame.sort("item_id").to_dicts()
    assert [row["item_id"] for row in rows] == ["B01", "B02"]
    assert (rows[0]["title"], rows[0]["price"], rows[0]["brand"]) == ("Bib 'blue' \"x\"", 3.17, None)
    assert rows[0]["category"] == "Bibs"
    assert rows[0]["categories"] == ["Baby", "Feeding", "Bibs", "Gifts"]
    assert rows[1]["title"] == "B02"
    assert "Soft" in rows[1]["text"]


def test_the_picture_that_says_no_picture_is_none(folder_2014):
    loaded = load_amazon_2014(DataConfig(root=folder_2014, source="amazon-2014"))
    urls = dict(loaded.catalog.frame.select("item_id", "picture_url").iter_rows())
    assert urls == {"B01": "http://h/1.jpg", "B02": None}
    assert counted(loaded.notes)["placeholder_pictures"] == 1


def test_the_2023_files_are_read_by_parent_item(folder_2023):
    loaded = load_amazon_2023(DataConfig(root=folder_2023, source="amazon-2023"))
    assert loaded.interactions.frame["item_id"].to_list() == ["P1", "P1", "P2"]
    assert loaded.interactions.frame["time"][0] == 1_588_687_728_923
    card, box = loaded.catalog.frame.sort("item_id", descending=False).to_dicts()
    assert card["text"] == "Card\nPlastic\nRed\nA gift."
    assert (card["price"], card["brand"], card["picture_url"]) == (1025.0, "Shop", "http://h/l0")
    assert (box["price"], box["category"], box["picture_url"]) == (None, "All", "http://h/b0")


def test_only_metadata_that_the_filters_can_keep_are_read(folder_2014):
    config = DataConfig.read(
        {"root": folder_2014, "source": "amazon-2014", "filters": {"min_item_interactions": 2}}, "data"
    )
    assert load_amazon_2014(config).catalog.frame["item_id"].to_list() == ["B01"]
    config = DataConfig.read(
        {"root": folder_2014, "source": "amazon-2014", "filters": {"unseen_items": "keep"}}, "data"
    )
    assert len(load_amazon_2014(config).catalog) == 3


def test_a_config_line_loads_the_data_set_with_collected_pictures(folder_2014):
    (folder_2014 / "pictures").mkdir()
    (folder_2014 / "pictures" / "B02.png").write_bytes(b"x")
    dataset = load_dataset(DataConfig(root=folder_2014, source="amazon-2014"))
    assert (dataset.n_users, dataset.n_items, dataset.n_interactions) == (2, 3, 4)
    pictures = dict(zip(dataset.items.series, dataset.catalog.pictures, strict=True))
    assert pictures["B01"] is None
    assert pictures["B02"].endswith("pictures/B02.png")
    assert counted(dataset.notes)["items_without_catalog"] == 1


def test_lines_that_cannot_be_read_are_counted(folder_2014):
    path = folder_2014 / "reviews_Baby_5.json.gz"
    good = gzip.decompress(path.read_bytes()).decode().splitlines()
    gz(path, [*good, '{"reviewerID": "U9", "asin"', '{"reviewerID": "U9"}', "[1]", ""])
    meta = folder_2014 / "meta_Baby.json.gz"
    gz(meta, [*gzip.decompress(meta.read_bytes()).decode().splitlines(), "__import__('os').system('x')"])
    loaded = load_amazon_2014(DataConfig(root=folder_2014, source="amazon-2014"))
    assert len(loaded.interactions) == 4
    assert [note.count for note in loaded.notes if note.kind == "unreadable_lines"] == [3, 1]


def test_metadata_lines_are_data_and_never_code():
    assert parse(b"{'asin': print('x')}") is None
    assert parse(b"[" * 100_000) is None
    assert parse(b"{'a': '\\u00e9', 'b': None, 'c': True}") == {"a": "é", "b": None, "c": True}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda root: (root / "reviews_Baby_5.json.gz").unlink(), "irisrec download"),
        (lambda root: gz(root / "reviews_Toys_5.json.gz", ["{}"]), "several files"),
        (lambda root: gz(root / "reviews_Baby_5.json.gz", ["nonsense"]), "no line that can be read"),
        (lambda root: gz(root / "reviews_Baby_5.json.gz", []), "is empty"),
        (lambda root: gz(root / "meta_Baby.json.gz", ["{'asin': 'B99'}"]), "none of the items"),
        (lambda root: (root / "meta_Baby.json.gz").write_bytes(b"\x1f\x8bx"), "not a whole gzip file"),
    ],
)
def test_files_that_cannot_be_used_are_one_sentence(folder_2014, change, sentence):
    change(folder_2014)
    with pytest.raises(DataError, match=sentence):
        load_amazon_2014(DataConfig(root=folder_2014, source="amazon-2014"))


@pytest.fixture
def features(tmp_path):
    path = tmp_path / "image_features_Baby.b"
    block = np.zeros(7, RECORD)
    block["id"] = [
        b"B000000001",
        b"B000000002",
        b"B000000003",
        b"B000000004",
        b"B000000002",
        b"B000000005",
        b"B6",
    ]
    block["vector"] = np.arange(7)[:, None] + np.arange(4096) / 4096
    block["vector"][3, 7] = np.nan
    path.write_bytes(block.tobytes())
    return path


def test_image_features_are_streamed_for_the_wanted_items(features):
    found = list(read_image_features(features, ["B000000005", "B000000001", "B000000009"], records=2))
    assert [ids for ids, _ in found] == [["B000000001"], ["B000000005"]]
    assert found[1][1].shape == (1, 4096)
    assert found[1][1][0, 2048] == 5.5


def test_image_features_are_saved_as_ready_vectors(features, tmp_path):
    wanted = [f"B00000000{i}" for i in (5, 4, 2, 9)]
    notes = save_image_features(features, wanted, tmp_path / "v.npy")
    ids = (tmp_path / "v.ids.txt").read_text().split()
    vectors = np.load(tmp_path / "v.npy", allow_pickle=False)
    assert ids == ["B000000002", "B000000005"]
    assert vectors.shape == (2, 4096)
    assert vectors[:, 0].tolist() == [1.0, 5.0]
    assert counted(notes) == {"image_features": 2, "vectors_not_finite": 1, "without_image_features": 2}


def test_a_features_file_that_was_cut_off_is_refused(features):
    features.write_bytes(features.read_bytes()[:-5])
    with pytest.raises(DataError, match="leave 16,389 over; fetch it again"):
        list(read_image_features(features, ["B000000001"]))


def test_many_lines_in_small_blocks_are_all_read(tmp_path):
    from irisrec.data.sources.jsonlines import blocks

    lines = [json.dumps({"i": i, "text": "x" * (i % 50)}) for i in range(500)]
    gz(tmp_path / "a.json.gz", lines)
    pieces = list(blocks(tmp_path / "a.json.gz", 64))
    assert b"".join(pieces).decode().splitlines() == lines
    assert len(pieces) > 50
    assert pl.read_ndjson(b"".join(pieces))["i"].to_list() == list(range(500))
