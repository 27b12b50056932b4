import json

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import ModelError
from irisrec.evaluation.knockout import WAYS
from irisrec.experiments import knockout
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.knockout import knock_out
from irisrec.experiments.run import train
from irisrec.models.contract import Scorer
from irisrec.models.histories import history_sum
from irisrec.models.storage import load_features

N_USERS, N_ITEMS, N_TASTES = 160, 60, 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each user has one taste; a vector per item tells which."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    tastes = np.arange(N_ITEMS) % N_TASTES
    pairs = [
        (u, int(i))
        for u in range(N_USERS)
        for i in rng.choice(np.flatnonzero(tastes == u % N_TASTES), 5, False)
    ]
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    vectors = np.eye(N_TASTES)[tastes] + rng.normal(0, 0.1, (N_ITEMS, N_TASTES))
    np.savez(root / "telling.npz", ids=np.arange(N_ITEMS), values=vectors.astype(np.float32))
    sections = {
        "data": {"root": root, "interactions": "pairs.csv"},
        "features": {"telling": {"encoder": "vectors", "path": "telling.npz"}},
        "training": {"epochs": 2, "batch_users": 80},
        "evaluation": {"n_sampled": 0, "cutoffs": [3]},
    }
    model = {"name": "iris", "dim": 4, "hidden": 8}
    train(ExperimentConfig.read(sections | {"model": model}), root / "iris")
    train(ExperimentConfig.read(sections | {"model": {"name": "popularity"}}), root / "popularity")
    return root


class Content(Scorer):
    """Scores an item by how like the history it is in the vectors that tell the taste; the others do nothing."""

    def __init__(self, root):
        super().__init__(N_ITEMS)
        telling = load_features(root / "iris")[0]["telling"]  # in the order of the items
        for name, values in {"telling": telling, "silent": telling.flip(0)}.items():
            self.register_buffer(f"feature_{name}", values)
            self.register_buffer(f"present_{name}", torch.ones(N_ITEMS, dtype=torch.bool))

    def score(self, histories, candidates=None):
        values = self.get_buffer("feature_telling")
        return history_sum(histories, values) @ values.T


def test_the_modality_that_tells_something_is_told_from_the_one_that_does_not(runs, monkeypatch):
    monkeypatch.setattr(knockout, "load_model", lambda folder: (Content(runs), None))
    result = knock_out(runs / "iris")
    assert set(result.modalities) == {"telling", "silent"}
    assert result.sentences["telling"].startswith(
        "The modality telling carries information that the model uses"
    )
    assert result.sentences["silent"].startswith(
        "There is no sign that the modality silent carries information"
    )
    rows = {r["run"]: r for r in result.table.filter(pl.col("metric") == "ndcg@3").iter_rows(named=True)}
    assert set(rows) == {"whole"} | {f"{m} {way}" for m in result.modalities for way in WAYS}
    assert rows["telling noise"]["difference_high"] < 0
    assert rows["silent removed"]["difference"] == 0


def test_retraining_without_content_is_judged_against_the_run_itself(runs):
    result = knock_out(runs / "iris", retrain=True)
    assert result.retrained
    assert "trained with the telling vectors exchanged between items" in result.sentences["telling"]
    whole = result.table.filter((pl.col("run") == "whole") & (pl.col("metric") == "ndcg@3"))["mean"].item()
    saved = json.loads((runs / "iris" / "evaluation.json").read_text())
    assert whole == pytest.approx(saved["protocols"]["full"]["ndcg@3"])


def test_a_model_without_modalities_has_nothing_to_knock_out(runs):
    with pytest.raises(ModelError, match="popularity reads no modality"):
        knock_out(runs / "popularity")


def test_the_command_prints_only_json_and_keeps_it_in_the_run(runs):
    result = CliRunner().invoke(app, ["knockout", str(runs / "iris"), "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((runs / "iris" / "knockout.json").read_text())
