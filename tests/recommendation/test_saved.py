"""A saved run recommends elsewhere, or says in a sentence which of its files is not what was written."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from irisrec.data.catalog import Catalog
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.data.split import Split
from irisrec.errors import DataError, FeatureError, IrisrecError, RunError
from irisrec.features.encode import encode_catalog, encode_with
from irisrec.features.saved import load_encoders
from irisrec.models.config import ModelConfig
from irisrec.models.storage import save_features, save_model
from irisrec.recommendation.history import History
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.storage import load_split, save_dataset
from irisrec.sums import SUMS, seal
from tests.recommendation.test_contract import MODELS, trained, world


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    recommender, dataset = trained("multimodal-iris")
    _, features, present = world()
    few = csr_matrix(dataset.matrix.multiply(np.arange(24) < 2))
    rest = csr_matrix(dataset.matrix - few)
    for matrix in (few, rest):
        matrix.eliminate_zeros()
    masks = {"test": np.arange(24) > 3}
    split = Split(rest, few, csr_matrix(few.shape, dtype=np.float32), negatives=few, candidates=masks)
    save_dataset(folder, dataset, split)
    save_features(folder, features, present)
    save_model(folder, recommender.model, ModelConfig(**MODELS["multimodal-iris"]))
    return folder


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


NAMES = [
    "model.json",
    "model.safetensors",
    "features.safetensors",
    "items.parquet",
    "users.parquet",
    "interactions.parquet",
    "negatives.parquet",
    "candidates.parquet",
]


def read_all(folder: Path) -> None:
    Recommender.load(folder)
    load_split(folder)


def test_every_file_is_sealed_and_a_copy_recommends_the_same(saved, copy):
    assert {path.name for path in saved.iterdir()} == {*NAMES, SUMS}
    original, moved = Recommender.load(saved), Recommender.load(copy)
    assert original.fingerprint == moved.fingerprint
    user = original.users.ids([3])[0]
    assert moved.recommend(user) == original.recommend(user)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0.0, 0.3, 0.9])
def test_a_flipped_bit_anywhere_is_refused(copy, name, place):
    path = copy / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0b100
    path.write_bytes(content)
    with pytest.raises(RunError, match=f"{name} is not what was written: its SHA-256 is"):
        read_all(copy)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_cut_off_or_gone_is_refused(copy, name):
    path = copy / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunError, match=f"{name} is not what was written"):
        read_all(copy)
    path.unlink()
    with pytest.raises(RunError, match=f"{name}.* is missing"):
        read_all(copy)


def test_damaged_checksums_are_refused(copy):
    path = copy / SUMS
    lines = path.read_text()
    for broken, sentence in (
        (lines.replace("model", "mod/el", 1), "SHA256SUMS is damaged"),
        ("0" + lines[1:] if lines[0] != "0" else "1" + lines[1:], "is not what was written"),
        ("", "has no checksum in SHA256SUMS"),
    ):
        path.write_text(broken)
        with pytest.raises(RunError, match=sentence):
            read_all(copy)


def test_a_flipped_bit_anywhere_in_the_checksums_is_refused(copy):
    path = copy / SUMS
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        content = bytearray(whole)
        content[place] ^= 1 << (place // 5 % 8)
        path.write_bytes(content)
        with pytest.raises(RunError) as error:
            read_all(copy)
        assert len(str(error.value).splitlines()) == 1, place
    for lines in range(whole.count(b"\n")):
        path.write_bytes(b"\n".join(whole.split(b"\n")[:lines]) + b"\n" * bool(lines))
        with pytest.raises(RunError, match="has no checksum in SHA256SUMS"):
            read_all(copy)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, r"model\.json has format 2, this version reads 1; update irisrec"),
        ({"format": None}, "has format None"),
        ({"config": {"name": "multimodal-iris", "wings": 2}}, "unknown option model.wings"),
        ({"n_items": 25}, "vectors for"),
        ({"n_items": "many"}, "is not a model description"),
    ],
)
def test_a_description_of_another_version_or_model_is_refused(copy, change, sentence):
    path = copy / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    seal(path)
    with pytest.raises(IrisrecError, match=sentence) as error:
        read_all(copy)
    assert len(str(error.value).splitlines()) == 1


def test_an_encoder_that_was_changed_is_refused(tmp_path):
    catalog = Catalog.of(pl.DataFrame({"item_id": [1, 2, 3, 4], "colour": ["a", "b", "a", "b"]}))
    encode_catalog(catalog, {"facts": {"encoder": "columns", "columns": ["colour"]}}).save_encoders(tmp_path)
    assert load_encoders(tmp_path).keys() == {"facts"}
    for path in (p for p in (tmp_path / "facts").iterdir() if p.name != SUMS):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + b"~")
        with pytest.raises(RunError, match=f"{path.name} is not what was written"):
            load_encoders(tmp_path)
        path.write_bytes(whole)
    sums = tmp_path / "facts" / SUMS
    lines = sums.read_text().splitlines(keepends=True)
    for left in range(len(lines)):
        sums.write_text("".join(lines[:left]))
        with pytest.raises(RunError, match="has no checksum in SHA256SUMS"):
            load_encoders(tmp_path)
    sums.unlink()
    with pytest.raises(RunError, match="has no checksum in SHA256SUMS"):
        load_encoders(tmp_path)


def test_an_encoder_of_a_future_version_is_refused(tmp_path):
    catalog = Catalog.of(pl.DataFrame({"item_id": [1, 2, 3, 4], "colour": ["a", "b", "a", "b"]}))
    encode_catalog(catalog, {"facts": {"encoder": "columns", "columns": ["colour"]}}).save_encoders(tmp_path)
    path = tmp_path / "facts" / "encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    seal(path)
    with pytest.raises(FeatureError, match="is columns version 99, this irisrec has version"):
        load_encoders(tmp_path)


def test_an_encoder_rebuilt_keeps_its_place_in_the_store(tmp_path):
    """Two encoders with the same settings that have learned from other texts must not share vectors."""
    found = {}
    for name, texts in {
        "tea": ["green tea leaf", "black tea pot"],
        "tool": ["steel bolt", "iron bolt"],
    }.items():
        catalog = Catalog.of(pl.DataFrame({"item_id": [1, 2], "text": texts}))
        options = {"text": {"encoder": "doc2vec", "dim": 4, "epochs": 2, "min_count": 1}}
        encoded = encode_catalog(catalog, options, store=tmp_path / "store")
        encoded.save_encoders(tmp_path / name)
        rebuilt = load_encoders(tmp_path / name)
        assert rebuilt["text"].fitted_on == encoded.encoders["text"].fitted_on != ""
        new = Catalog.of(pl.DataFrame({"item_id": [7], "text": ["green bolt tea steel"]}))
        found[name] = encode_with(new, rebuilt, store=tmp_path / "store").tables["text"].values
        np.testing.assert_array_equal(found[name], encode_with(new, rebuilt).tables["text"].values)
    assert not np.allclose(found["tea"], found["tool"])


def test_times_are_kept_with_the_run_and_let_new_items_count_more(tmp_path):
    recommender, dataset = trained("ease")
    pairs = pl.DataFrame(
        {"user_id": dataset.users.ids(dataset.user_index), "item_id": dataset.items.ids(dataset.item_index)}
    )
    order = pl.int_range(pl.len()).over("user_id")
    days = pairs.with_columns(time=pl.datetime(2024, 1, 1) + pl.duration(days=order * 10))
    days = days.with_columns(time=pl.when(pl.int_range(len(days)) % 4 > 0).then("time"))  # some are unknown
    timed = Dataset.build(Interactions(days), dataset.catalog)
    assert timed.users == dataset.users
    empty = csr_matrix(timed.matrix.shape, dtype=np.float32)
    save_dataset(tmp_path, timed, Split(timed.matrix, empty, empty))
    save_model(tmp_path, recommender.model, ModelConfig(**MODELS["ease"]))
    loaded = Recommender.load(tmp_path)
    user = loaded.users.ids([int(np.diff(timed.matrix.indptr).argmax())])[0]
    own = days.filter(user_id=user)
    history = History(own["item_id"].to_list(), times=own["time"].to_list())
    assert 0 < own["time"].null_count() < len(own) - 2
    by_age = loaded.recommend(user, half_life=15.0)
    assert by_age == loaded.recommend(history=history, half_life=15.0)
    assert [r.score for r in by_age] != [r.score for r in loaded.recommend(user)]
    for found in loaded.recommend(user, half_life=15.0, n_reasons=50):
        assert sum(reason.contribution for reason in found.because) == pytest.approx(found.score, abs=1e-5)
    with pytest.raises(DataError, match="a half-life needs times; give"):
        loaded.recommend(history=["i00"], half_life=15.0)
    with pytest.raises(
        DataError, match="a half-life needs times, and the interactions of this run have none"
    ):
        recommender.recommend(user, half_life=15.0)
    assert load_split(tmp_path)[2].train.nnz == len(days)
