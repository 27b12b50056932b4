"""A data set of one's own: a table of interactions and two vector modalities need a config and no code."""

import json

import numpy as np
import polars as pl

from irisrec import ExperimentConfig, Recommender, train

CONFIG = """
[data]
interactions = "plays.tsv"
items = "tracks.jsonl"
columns = { user = "listener", item = "track", item_id = "track" }

[features.audio]
encoder = "vectors"
path = "audio.npy"
ids = "audio_ids.txt"

[features.lyrics]
encoder = "vectors"
path = "lyrics.npz"

[model]
name = "multimodal-iris"
dim = 8
hidden = 12

[training]
epochs = 25
batch_users = 30
learning_rate = 0.03
"""
N_USERS, N_TRACKS = 90, 30


def write_music(folder):
    rng = np.random.default_rng(0)
    genre = np.arange(N_TRACKS) % 3
    taste = rng.integers(3, size=N_USERS)
    users, tracks = np.nonzero(rng.random((N_USERS, N_TRACKS)) < np.where(genre == taste[:, None], 0.7, 0.03))
    plays = pl.DataFrame({"listener": users, "track": tracks + 500})
    plays.write_csv(folder / "plays.tsv", separator="\t")
    tracks_table = pl.DataFrame(
        {"track": np.arange(N_TRACKS) + 500, "title": [f"Song {i}" for i in range(N_TRACKS)]}
    )
    tracks_table.write_ndjson(folder / "tracks.jsonl")
    shown = np.eye(3)[genre] + 0.1 * rng.normal(size=(N_TRACKS, 3))
    np.save(folder / "audio.npy", shown[:-4])  # the last four tracks have no audio
    (folder / "audio_ids.txt").write_text("".join(f"{500 + i}\n" for i in range(N_TRACKS - 4)))
    np.savez(folder / "lyrics.npz", ids=np.arange(N_TRACKS) + 500, values=shown @ rng.normal(size=(3, 7)))
    (folder / "music.toml").write_text(CONFIG)
    return genre


def test_two_vector_modalities_that_are_neither_image_nor_text(tmp_path, monkeypatch):
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "cache"))
    genre = write_music(tmp_path)
    evaluation = train(
        ExperimentConfig.load(tmp_path / "music.toml", [f"data.root={tmp_path}"]), tmp_path / "run"
    )
    baselines = json.loads((tmp_path / "run" / "evaluation.json").read_text())["baselines"]
    assert evaluation.metrics["full"]["hr@10"] > baselines["popularity"]["full"]["hr@10"]
    recommender = Recommender.load(tmp_path / "run")
    assert recommender.model.modalities == ("audio", "lyrics")
    assert int(recommender.model.present["audio"].sum()) == N_TRACKS - 4
    found = recommender.recommend(history=[500, 503, 506], k=4)
    assert all(genre[int(item.item_id) - 500] == 0 for item in found)
    assert all(len(item.because) == 3 for item in found)
