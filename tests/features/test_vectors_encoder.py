from __future__ import annotations

import numpy as np
import pytest

from irisrec.errors import FeatureError
from irisrec.features.encode import encode_catalog
from irisrec.features.vector_file import read_vectors, write_vectors
from irisrec.notes import counted
from tests.features.content import catalog_of

CATALOG = catalog_of(title=["a", "b", "c"])


def test_vectors_of_any_modality_join_by_id(tmp_path):
    np.save(tmp_path / "audio.npy", np.array([[3.0, 4.0], [1.0, 2.0], [9.0, 9.0]]))
    (tmp_path / "ids.txt").write_text("i2\ni0\nelsewhere\n")
    features = {"audio": {"encoder": "vectors", "path": "audio.npy", "ids": "ids.txt"}}
    encoded = encode_catalog(CATALOG, features, tmp_path)
    table = encoded.tables["audio"]
    assert table.values.tolist() == [[1, 2], [0, 0], [3, 4]]
    assert table.present.tolist() == [True, False, True]
    assert encoded.failures == [("audio", "i1", "no vector")]
    assert counted(encoded.notes) == {"features_encoded": 2, "vectors_unused": 1, "features_absent": 1}


def test_what_encode_writes_the_vectors_encoder_reads(tmp_path):
    np.save(tmp_path / "audio.npy", np.eye(2))
    (tmp_path / "ids.txt").write_text("i2\ni0\n")
    table = encode_catalog(CATALOG, {"audio": {"path": "audio.npy", "ids": "ids.txt"}}, tmp_path).tables[
        "audio"
    ]
    write_vectors(table, tmp_path / "sound.parquet")
    again = encode_catalog(CATALOG, {"audio": {"path": "sound.parquet"}}, tmp_path).tables["audio"]
    np.testing.assert_array_equal(again.values, table.values)
    np.testing.assert_array_equal(again.present, table.present)
    assert read_vectors(tmp_path / "sound.parquet").modality == "sound"


def test_vectors_of_other_items_are_an_error_that_shows_both_kinds_of_id(tmp_path):
    np.save(tmp_path / "audio.npy", np.eye(2))
    (tmp_path / "ids.txt").write_text("x1\nx2\n")
    with pytest.raises(FeatureError, match=r"none of the 3 items .*'i0', 'i1'.*'x1', 'x2'"):
        encode_catalog(CATALOG, {"audio": {"path": "audio.npy", "ids": "ids.txt"}}, tmp_path)
