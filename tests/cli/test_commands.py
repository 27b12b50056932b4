"""The main job through the real command, in its own process, on a small built-in shop."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import polars as pl
import pytest
from safetensors.torch import load_file

CONFIG = """
[data]
source = "shop"
root = "shop"
[data.shop]
n_users = 250
n_items = 90
[features.image]
encoder = "colour-hog"
[features.text]
encoder = "doc2vec"
epochs = 5
[model]
dim = 8
hidden = 16
dropout = 0.1
[training]
epochs = 4
batch_users = 64
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "config.toml").write_text(CONFIG)
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    environment = os.environ | {"IRISREC_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from irisrec.cli.main import main; main()", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def irisrec(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="module")
def run(folder):
    result = irisrec(folder, "train", "config.toml", "--out", "run")
    assert result.returncode == 0, result.stderr
    return folder / "run"


def test_a_run_folder_holds_everything(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.toml",
        "run.json",
        "metrics.json",
        "curves.png",
        "checkpoint.safetensors",
        "model.json",
        "model.safetensors",
        "features.safetensors",
        "items.parquet",
        "users.parquet",
        "interactions.parquet",
        "evaluation.json",
        "report.html",
    }
    assert not [name for name in names if "partial" in name]
    info = json.loads((run / "run.json").read_text())
    assert info["state"] == "finished"
    assert info["seed"] == 0
    assert len(info["data_fingerprint"]) == 64
    epochs = json.loads((run / "metrics.json").read_text())
    assert [record["epoch"] for record in epochs] == [1, 2, 3, 4]
    assert all({"loss", "seconds", "learning_rate", "validation"} <= record.keys() for record in epochs)
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["model"]["beta"] == 0.8, "defaults are spelled out"


def test_evaluate_prints_only_json_and_repeats_the_training_result(folder, run):
    result = irisrec(folder, "evaluate", "run", "--json")
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["n_users"] == 250
    assert set(printed["protocols"]) == {"full", "sampled-99"} or set(printed["protocols"]) == {
        "full",
        "sampled-99",
    }
    assert set(printed["protocols"]["full"]) == {"hr@10", "ndcg@10", "hr@20", "ndcg@20"}
    saved = json.loads((run / "evaluation.json").read_text())
    assert printed["protocols"] == saved["protocols"]
    assert printed["intervals"] == saved["intervals"]
    assert saved["baselines"]["popularity"]["full"].keys() == printed["protocols"]["full"].keys()


def test_recommend_for_a_user_and_for_anybody(folder, run):
    user = str(pl.read_parquet(run / "users.parquet")["user_id"][3])
    result = irisrec(folder, "recommend", "run", "--user", user, "-k", "4", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert len(found) == 4
    assert set(found[0]) == {"item_id", "title", "score", "probability", "because"}
    split = {"modalities", "relevance_modalities", "shared", "alike"}
    assert set(found[0]["because"][0]) == {"item_id", "title", "relevance", "contribution"} | split
    seen = set(pl.read_parquet(run / "interactions.parquet").filter(pl.col("user_id") == user)["item_id"])
    assert not seen & {item["item_id"] for item in found}
    assert {reason["item_id"] for item in found for reason in item["because"]} <= seen
    items = pl.read_parquet(run / "items.parquet")["item_id"][:3].to_list()
    words = irisrec(folder, "recommend", "run", "--history", ",".join(map(str, items)), "-k", "2")
    assert words.returncode == 0
    assert words.stdout.count("because of") == 6


@pytest.mark.parametrize("stop_after", [0, 2])
def test_killed_at_any_moment_a_run_resumes_to_the_same_bits(folder, run, stop_after):
    out = folder / f"killed-{stop_after}"
    process = start(folder, "train", "config.toml", "--out", out.name, "--set", "training.epochs=4")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        wanted = out / ("checkpoint.safetensors" if stop_after else "run.json")
        if wanted.exists() and (not stop_after or _epoch(wanted) >= stop_after):
            break
        time.sleep(0.005)
    assert process.poll() is None, "it finished before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (out / f".metrics.json.{process.pid}.partial").write_text(
        "["
    )  # as a kill in the middle of a write leaves it
    refused = irisrec(folder, "recommend", out.name, "--user", "1")
    assert refused.returncode == 1
    result = irisrec(folder, "train", "--resume", out.name)
    assert result.returncode == 0, result.stderr
    ours, whole = load_file(out / "model.safetensors"), load_file(run / "model.safetensors")
    assert ours.keys() == whole.keys()
    assert all((ours[name] == whole[name]).all() for name in whole)
    assert not list(out.glob(".*partial*"))


def _epoch(checkpoint: Path) -> int:
    from irisrec.training.checkpoints import load_state

    return load_state(checkpoint).progress.epoch


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "nowhere.toml", "--out", "x"], 1, "there is no config file nowhere.toml"),
        (
            ["train", "config.toml", "--out", "x", "--set", "training.learningrate=1"],
            1,
            "unknown option training.learningrate; did you mean 'learning_rate'?",
        ),
        (["train", "config.toml", "--out", "run"], 1, "go on with `irisrec train --resume run`"),
        (["train", "config.toml"], 2, "--out RUN"),
        (["train"], 2, "give one of a config with --out"),
        (["recommend", "run", "--user", "nobody"], 1, "user 'nobody' is not among the 250 known users"),
        (
            ["recommend", "run", "--history", "nothing"],
            1,
            "1 of 1 item id is not among the 90 known: 'nothing'",
        ),
        (["recommend", "run"], 2, "give one of --user, --history, --all-users"),
        (["evaluate", "nowhere"], 1, "not a run folder"),
        (["recommend", "nowhere", "--user", "1"], 1, "there is no run folder nowhere"),
    ],
)
def test_mistakes_get_one_sentence_and_the_right_exit_code(folder, run, arguments, code, sentence):
    result = irisrec(folder, *arguments)
    assert result.returncode == code, result.stderr
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    if code == 1:
        assert len(result.stderr.strip().splitlines()) == 1


def test_changed_data_is_noticed_when_a_run_is_resumed(folder, run, tmp_path):
    frame = pl.DataFrame({"user_id": [1, 1, 1, 2, 2, 2], "item_id": [1, 2, 3, 1, 2, 4]})
    frame.write_csv(tmp_path / "interactions.csv")
    (tmp_path / "config.toml").write_text(
        '[data]\ninteractions = "interactions.csv"\n[model]\nname = "fism"\ndim = 2\n[training]\nepochs = 1\n'
    )
    assert irisrec(tmp_path, "train", "config.toml", "--out", "run").returncode == 0
    frame.extend(pl.DataFrame({"user_id": [2], "item_id": [3]})).write_csv(tmp_path / "interactions.csv")
    result = irisrec(tmp_path, "train", "--resume", "run")
    assert result.returncode == 1
    assert "the data changed since run was started" in result.stderr
