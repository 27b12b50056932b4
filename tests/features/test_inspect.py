from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from irisrec.errors import FeatureError
from irisrec.features.inspect import Pair, inspect_table, nearest
from irisrec.features.sheet import contact_sheet
from irisrec.features.table import FeatureTable
from irisrec.ids import IdMap
from tests.features.content import catalog_of, write_pictures

VALUES = np.array([[1, 0, 5], [1, 0, 5], [1, 0.1, 5], [0, 0, 0], [-5, 3, 5], [0, 0, 0]], np.float32)
TABLE = FeatureTable("image", IdMap([f"i{i}" for i in range(6)]), VALUES, np.array([1, 1, 1, 1, 1, 0], bool))


def test_an_inspection_counts_what_is_there():
    found = inspect_table(TABLE, near=0.99)
    assert (found.n_present, found.dim, found.n_zero, found.n_constant) == (5, 3, 1, 0)
    assert found.coverage == pytest.approx(5 / 6)
    assert found.duplicates == [["i0", "i1"]]
    assert found.n_near == 1
    assert found.near_pairs == [Pair("i0", "i2", pytest.approx(0.9998, abs=1e-4))]
    assert "1 item with exactly the vector of another" in str(found)
    assert found.to_json()["norms"]["min"] == 0.0


def test_near_pairs_equal_a_plain_count_across_blocks(monkeypatch):
    monkeypatch.setattr("irisrec.features.inspect.ROWS", 7)
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    table = FeatureTable.from_vectors("x", IdMap(list(range(40))), values)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    plain = np.triu(unit @ unit.T, 1)
    found = inspect_table(table, near=0.9, limit=5)
    assert found.n_near == (plain >= 0.9).sum()
    assert found.near_pairs[0].cosine == pytest.approx(plain.max(), abs=1e-5)
    assert len(found.near_pairs) == 5


def test_nobody_present_is_an_inspection_of_nothing():
    table = FeatureTable("x", IdMap(["a"]), np.zeros((1, 2), np.float32), np.zeros(1, bool))
    assert inspect_table(table).norms == (0.0, 0.0, 0.0)


def test_neighbours_leave_out_the_query_and_the_absent():
    rows, cosines = nearest(TABLE, [0], k=9)
    assert rows.tolist() == [[1, 2, 4, 3]]
    assert cosines[0, 0] == pytest.approx(1.0)
    with pytest.raises(FeatureError, match="'i5' has no vector"):
        nearest(TABLE, [5], k=1)


def test_a_contact_sheet_shows_query_and_neighbours(tmp_path):
    catalog = write_pictures(tmp_path, 6)
    path = contact_sheet(TABLE, catalog, tmp_path / "sheet.png", queries=[0, 4], k=3)
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > sheet.height
        assert len(sheet.convert("RGB").getcolors(10**6)) > 50


def test_items_without_pictures_are_drawn_as_their_text(tmp_path):
    catalog = catalog_of(
        text=["a long story " * 30, None, "東京", "🤖", "x", "y"], picture=["missing.png"] + [None] * 5
    )
    assert contact_sheet(TABLE, catalog, tmp_path / "sheet.png").exists()
