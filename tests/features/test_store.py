from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from irisrec.errors import FeatureError
from irisrec.features.encode import encode_with
from irisrec.features.store import FeatureStore, load_state, save_state
from irisrec.notes import counted
from tests.features.content import write_pictures
from tests.features.slow import Slow

IDENTITY = {"encoder": "toy", "version": 1, "settings": {"b": 2, "a": 1}}
ROOT = Path(__file__).parents[2]


def keys(*numbers: int) -> list[bytes]:
    return [bytes([number]) * 32 for number in numbers]


def rows(*numbers: int) -> np.ndarray:
    return np.array([[n, 2 * n] for n in numbers], np.float32)


def read(store: FeatureStore, *numbers: int) -> np.ndarray:
    out = np.zeros((len(numbers), 2), np.float32)
    store.read({key: row for row, key in enumerate(keys(*numbers))}, out)
    return out


def start(tmp_path: Path, n: int, log: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "tests.features.slow",
        tmp_path / "p",
        tmp_path / "store",
        tmp_path / log,
        str(n),
    ]
    return subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )


def encode(tmp_path: Path, n: int):
    fast = Slow()
    fast.pause = 0.0
    return encode_with(write_pictures(tmp_path / "p", n), {"image": fast}, store=tmp_path / "store")


def test_what_was_written_is_read_back_in_any_order(tmp_path):
    with FeatureStore(tmp_path, "image", IDENTITY) as store:
        store.append(keys(1, 2), rows(1, 2), [False, True])
        store.append(keys(3), rows(3), [False])
        np.testing.assert_array_equal(read(store, 3, 1), rows(3, 1))
    with FeatureStore(tmp_path, "image", dict(reversed(IDENTITY.items()))) as again:
        np.testing.assert_array_equal(read(again, 2, 3), rows(2, 3))
        assert again.shortened == set(keys(2))


def test_other_settings_versions_and_encoders_have_a_folder_of_their_own(tmp_path):
    others = [
        IDENTITY,
        IDENTITY | {"version": 2},
        IDENTITY | {"encoder": "other"},
        IDENTITY | {"settings": {"a": 1, "b": 3}},
        IDENTITY | {"settings": {"a": "1", "b": 2}},
    ]
    assert len({FeatureStore(tmp_path, "image", identity).folder for identity in others}) == 5


def test_shards_are_merged_when_nobody_else_is_at_work(tmp_path):
    with FeatureStore(tmp_path, "image", IDENTITY) as store:
        for number in range(9):
            store.append(keys(number), rows(number), [number == 4])
        with FeatureStore(tmp_path, "image", IDENTITY):
            pass
        assert len(list(store.folder.glob("*.safetensors"))) == 9
    assert len(list(store.folder.glob("*.safetensors"))) == 1
    with FeatureStore(tmp_path, "image", IDENTITY) as again:
        np.testing.assert_array_equal(read(again, *range(9)), rows(*range(9)))
        assert again.shortened == set(keys(4))


def test_a_damaged_shard_is_counted_and_its_contents_encoded_again(tmp_path):
    first = encode(tmp_path, 9)
    folder = next((tmp_path / "store" / "image").iterdir())
    shard = next(folder.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-5])
    second = encode(tmp_path, 9)
    assert counted(second.notes)["store_damaged"] == 1
    np.testing.assert_array_equal(second.tables["image"].values, first.tables["image"].values)
    assert "store_damaged" not in counted(encode(tmp_path, 9).notes)


def test_a_second_run_encodes_nothing_and_a_changed_catalog_only_what_is_new(tmp_path):
    first = encode(tmp_path, 9)
    second = encode(tmp_path, 9)
    assert "0 encoded, 9 from the store" in str(second.notes[0])
    np.testing.assert_array_equal(second.tables["image"].values, first.tables["image"].values)
    assert "3 encoded, 9 from the store" in str(encode(tmp_path, 12).notes[0])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_run_that_is_ended_loses_at_most_the_batch_in_work(tmp_path, how):
    n = 120
    process = start(tmp_path, n, "log")
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("store/image/*/*.safetensors"))) < 4:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(how)
    assert process.wait(60) != 0
    begun = len((tmp_path / "log").read_text().split()) * Slow.batch_size
    again = encode(tmp_path, n)
    text = str(again.notes[0])
    kept = int(text.split(" from the store")[0].split()[-1])
    assert 16 <= kept < n
    assert begun - kept <= Slow.batch_size
    np.testing.assert_array_equal(again.tables["image"].values, in_memory(tmp_path, n))
    assert not list(tmp_path.glob("store/image/*/.*.partial"))


def test_two_runs_at_once_end_with_the_same_whole_store(tmp_path):
    n = 60
    write_pictures(tmp_path / "p", n)
    processes = [start(tmp_path, n, f"log{i}") for i in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    after = encode(tmp_path, n)
    assert f"0 encoded, {n} from the store" in str(after.notes[0])
    np.testing.assert_array_equal(after.tables["image"].values, in_memory(tmp_path, n))


def in_memory(tmp_path: Path, n: int) -> np.ndarray:
    fast = Slow()
    fast.pause = 0.0
    return encode_with(write_pictures(tmp_path / "p", n), {"image": fast}).tables["image"].values


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(FeatureError, match="cannot be written"),
        FeatureStore(tmp_path / "file", "image", IDENTITY),
    ):
        pass


def test_fitted_state_is_read_whole_or_not_at_all(tmp_path):
    assert load_state(tmp_path) is None
    save_state(tmp_path, {"weights": np.eye(2)}, {"words": ["東", "🤖"]})
    arrays, values = load_state(tmp_path)
    np.testing.assert_array_equal(arrays["weights"], np.eye(2))
    assert values == {"words": ["東", "🤖"]}
    (tmp_path / "arrays.state").write_bytes(b"short")
    with pytest.raises(FeatureError, match="delete the folder"):
        load_state(tmp_path)
