"""Tuning on a tiny catalog of two tastes: what is chosen, from what, and what a kill leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy.sparse import csr_matrix
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import ConfigError, RunError, TrainingError
from irisrec.experiments import run
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.tuning import objective, tune
from irisrec.experiments.tuning.space import SPACES, Choice, Numbers
from irisrec.experiments.tuning.study import Budget
from irisrec.models.config import ModelConfig
from irisrec.models.options import LEARN_USERS, MODEL_NAMES, ONE_MODALITY, OPTIONS
from irisrec.training.config import TrainingConfig

FISM = ("model.alpha", "model.init_std", "training.weight_decay", "training.learning_rate")  # left alone


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("tastes")
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(60) for i in rng.choice(20, 9, replace=False) + 20 * (u % 2)]
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    return root


@pytest.fixture(autouse=True)
def _no_pictures(request, monkeypatch):
    """Drawing takes longer than all the trials of a tiny study; one test looks at the picture."""
    if "picture" not in request.node.name:
        monkeypatch.setattr(tune, "draw_study", lambda *arguments: None)


def config(root, **sections) -> ExperimentConfig:
    data = {"root": str(root), "interactions": "pairs.csv"}
    return ExperimentConfig.read({"data": data, "model": {"name": "ease"}} | sections)


def fism(root, **training) -> ExperimentConfig:
    model = {"name": "fism", "dim": 4}
    return config(root, model=model, training={"epochs": 5, "batch_users": 60} | training)


def test_every_model_has_a_space_of_options_that_it_reads():
    assert set(SPACES) == set(MODEL_NAMES)
    for name, space in SPACES.items():
        for option in space:
            section, _, key = option.partition(".")
            known = OPTIONS[name] if section == "model" else TrainingConfig.model_fields
            assert key in known, f"{name}: {option}"
        assert not (name in LEARN_USERS and "training.history_dropout" in space)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_both_ends_of_every_range_make_a_config(name, tmp_path):
    modalities = ["image"] if name in ONE_MODALITY else None
    start = config(
        tmp_path, model=ModelConfig(name=name, modalities=modalities).model_dump(exclude_none=True)
    )
    for option, range_ in SPACES[name].items():
        ends = (range_.low, range_.high) if isinstance(range_, Numbers) else range_.options
        for value in ends:
            assert start.having({option: value}).options()[option] == value


def test_ranges_know_what_is_nearest():
    assert Numbers(0.001, 1.0, log=True).nearest(0.0) == 0.001
    assert Numbers(16, 256).nearest(64) == 64
    assert Choice(("l2", "none")).nearest("standard") == "l2"


def test_a_study_begins_with_the_config_and_chooses_the_best_of_its_trials(root, tmp_path):
    start = config(root, model={"name": "ease", "regularization": 7.0})
    study = tune.tune(start, tmp_path, Budget(6))
    trials = pl.read_csv(tmp_path / "trials.csv")
    assert trials["trial"].to_list() == [1, 2, 3, 4, 5, 6]
    assert trials["model.regularization"][0] == 7.0
    values = trials["validation ndcg@10"]
    assert study["best"]["value"] == values.max()
    assert study["best"]["trial"] == values.arg_max() + 1
    assert study["budget"] == {"trials": 6, "seconds": None}
    best = ExperimentConfig.load(tmp_path / "best.toml")
    assert best.model.regularization == study["best"]["options"]["model.regularization"]
    (difference,) = best.differences(start)
    assert difference.startswith("model.regularization = 7.0 and not ")


def test_the_picture_shows_every_option(root, tmp_path):
    tune.tune(config(root, model={"name": "item-knn"}), tmp_path, Budget(2))
    with Image.open(tmp_path / "tuning.png") as picture:
        width, height = picture.size
    assert width > 3 * 300 > height > 300


def test_the_value_of_a_trial_is_what_training_reports_for_its_config(root, tmp_path):
    study = tune.tune(fism(root), tmp_path / "study", Budget(2), fixed=FISM)
    assert study["space"].keys() == {"model.dim", "training.epochs", "training.history_dropout"}
    best = ExperimentConfig.load(tmp_path / "study" / "best.toml")
    run.train(best, tmp_path / "run")
    epochs = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert max(record["validation"]["ndcg@10"] for record in epochs) == study["best"]["value"]


def test_what_is_off_in_the_config_stays_off(root, tmp_path):
    off = tune.tune(fism(root), tmp_path / "off", Budget(1), fixed=FISM)
    assert "model.ridge" not in off["space"]
    model = {"name": "fism", "dim": 4, "ridge": 100.0}
    on = tune.tune(config(root, model=model, training={"epochs": 1}), tmp_path / "on", Budget(1), fixed=FISM)
    assert "model.ridge" in on["space"]


@pytest.mark.parametrize("is_on", [False, True])
def test_our_additions_are_tuned_only_where_the_config_has_them(tmp_path, is_on):
    values = {
        "data": {"source": "shop", "root": str(tmp_path / "shop"), "shop": {"n_users": 40, "n_items": 30}},
        "features": {"text": {"encoder": "doc2vec"}},
        "model": {"name": "text-iris", "dim": 4, "hidden": 4, "content_factors": is_on},
        "training": {"epochs": 1, "batch_users": 60},
    }
    study = tune.tune(ExperimentConfig.read(values), tmp_path / "study", Budget(1))
    assert ("model.content_factors" in study["space"]) == is_on
    assert "model.ridge" not in study["space"]
    assert "model.alpha" in study["space"]


def test_no_trial_ever_sees_a_test_item(root, tmp_path, monkeypatch):
    seen = []

    def fit_model(config, prepared, *rest):
        seen.append(prepared.split.test.nnz)
        return run.fit_model(config, prepared, *rest)

    def evaluate(*arguments, part="test", **options):
        assert part == "validation"
        return run.evaluate(*arguments, part=part, **options)

    monkeypatch.setattr(objective, "fit_model", fit_model)
    monkeypatch.setattr(objective, "evaluate", evaluate)
    first = tune.tune(config(root), tmp_path / "a", Budget(3))
    assert seen == [0, 0, 0]

    def other_test_items(config):
        prepared = run.prepare(config)
        prepared.split.test.indices[:] = 0
        return prepared

    monkeypatch.setattr(tune, "prepare", other_test_items)
    assert tune.tune(config(root), tmp_path / "b", Budget(3))["best"] == first["best"]


def test_a_study_goes_on_to_the_same_end_after_any_interruption(root, tmp_path, monkeypatch):
    whole = tune.tune(fism(root), tmp_path / "whole", Budget(4), fixed=FISM)
    fit, calls = objective.fit_model, []

    def interrupted(config, prepared, checkpoint, watch):
        def stop(progress):
            watch(progress)
            if len(calls) == 3 and progress.epoch == 2:
                raise KeyboardInterrupt

        calls.append(checkpoint.exists())
        return fit(config, prepared, checkpoint, stop)

    monkeypatch.setattr(objective, "fit_model", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tune.tune(fism(root), tmp_path / "cut", Budget(4), fixed=FISM)
    assert len(pl.read_csv(tmp_path / "cut" / "trials.csv")) == 2
    cut = tune.tune(fism(root), tmp_path / "cut", Budget(4), fixed=FISM)
    assert calls == [False, False, False, True, False], "the third trial goes on from its checkpoint"
    assert cut["best"] == whole["best"]
    drop = "seconds"
    tables = [pl.read_csv(tmp_path / name / "trials.csv").drop(drop) for name in ("whole", "cut")]
    assert tables[0].equals(tables[1])
    assert not list((tmp_path / "cut").glob("*.safetensors"))


def test_killed_at_once_the_same_command_finishes_the_study(root, tmp_path):
    config(root).save(tmp_path / "config.toml")
    command = [sys.executable, "-c", "from irisrec.cli.main import main; main()", "tune", "config.toml"]
    command += ["--out", "study", "--trials", "500"]
    trials = tmp_path / "study" / "trials.csv"
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and not trials.exists():
        time.sleep(0.005)
    assert process.poll() is None, "it finished before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    n = len(pl.read_csv(trials))
    study = tune.tune(ExperimentConfig.load(tmp_path / "config.toml"), tmp_path / "study", Budget(n + 2))
    # a trial may have been finished between the last table and the kill
    assert study["finished"] == n + 2
    whole = tune.tune(config(root), tmp_path / "whole", Budget(n + 2))
    assert whole["best"] == study["best"]


def test_a_spent_budget_is_not_exceeded_and_a_larger_one_goes_on(root, tmp_path, monkeypatch):
    tune.tune(config(root), tmp_path, Budget(2))
    with monkeypatch.context() as patch:
        patch.setattr(tune, "prepare", None)  # nothing is read again
        assert tune.tune(config(root), tmp_path, Budget(2))["finished"] == 2
    assert tune.tune(config(root), tmp_path, Budget(3))["finished"] == 3
    assert tune.tune(config(root), tmp_path, Budget(9, seconds=1e-6))["finished"] == 3


def test_hopeless_trials_are_given_up_and_never_chosen(root, tmp_path):
    start = fism(root, epochs=10)
    study = tune.tune(start, tmp_path, Budget(14), fixed=[*FISM, "training.epochs"], prune=True)
    trials = pl.read_csv(tmp_path / "trials.csv")
    pruned = trials.filter(pl.col("outcome") == "pruned")
    assert 0 < len(pruned) == study["outcomes"]["pruned"]
    assert trials["outcome"][study["best"]["trial"] - 1] == "judged"
    assert set(trials.filter(pl.col("trial") <= 8)["outcome"]) == {"judged"}


def test_a_trial_that_diverges_counts_and_is_worth_nothing(root, tmp_path, monkeypatch):
    def fit_model(*arguments):
        raise TrainingError("loss nan")

    monkeypatch.setattr(objective, "fit_model", fit_model)
    study = tune.tune(fism(root), tmp_path, Budget(2), fixed=FISM)
    assert study["outcomes"] == {"diverged": 2}
    assert study["best"]["value"] == 0.0


def test_a_model_with_nothing_to_tune_takes_one_trial(root, tmp_path, capsys):
    study = tune.tune(config(root, model={"name": "popularity"}), tmp_path, Budget(20))
    assert study["finished"] == 1
    assert "popularity has nothing to tune" in capsys.readouterr().err
    assert ExperimentConfig.load(tmp_path / "best.toml").model.name == "popularity"


def test_another_study_in_the_folder_is_refused(root, tmp_path):
    tune.tune(config(root), tmp_path / "study", Budget(1))
    with pytest.raises(RunError, match=r"training\.seed = 0 and not 1; go on as it was begun"):
        tune.tune(config(root, training={"seed": 1}), tmp_path / "study", Budget(1))
    with pytest.raises(RunError, match="another seed; go on as it was begun"):
        tune.tune(config(root), tmp_path / "study", Budget(1), seed=1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    with pytest.raises(RunError, match="is not empty and holds no study"):
        tune.tune(config(root), tmp_path / "other", Budget(1))


def test_data_that_changed_are_noticed(root, tmp_path):
    here = tmp_path / "data"
    here.mkdir()
    text = (root / "pairs.csv").read_text()
    (here / "pairs.csv").write_text(text)
    tune.tune(config(here), tmp_path / "study", Budget(1))
    (here / "pairs.csv").write_text(text.rsplit("\n", 2)[0] + "\n")
    with pytest.raises(RunError, match="another data fingerprint"):
        tune.tune(config(here), tmp_path / "study", Budget(2))


def test_a_split_without_validation_cannot_be_tuned_on(root, tmp_path):
    with pytest.raises(ConfigError, match=r"set split\.validation"):
        tune.tune(config(root, split={"validation": False}), tmp_path, Budget(1))


def test_an_option_set_on_the_command_line_is_not_tuned(root, tmp_path):
    fism(root).save(tmp_path / "config.toml")
    arguments = ["tune", str(tmp_path / "config.toml"), "--out", str(tmp_path / "study"), "--trials", "2"]
    options = ["--set", "model.dim=8", "--set", "training.epochs=2", "--json"]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed == json.loads((tmp_path / "study" / "study.json").read_text())
    assert not {"model.dim", "training.epochs"} & set(printed["space"])
    assert ExperimentConfig.load(tmp_path / "study" / "best.toml").model.dim == 8
    words = CliRunner().invoke(app, [*arguments, *options[:-1]])
    assert "next: irisrec train" in words.stdout


def test_validation_is_the_same_with_and_without_test_items(root):
    prepared = run.prepare(config(root))
    blind = objective.without_test(prepared)
    assert blind.split.test.nnz == 0
    assert isinstance(blind.split.test, csr_matrix)
    model, _ = run.fit_model(config(root), prepared)
    judged = [
        run.evaluate(model, p.split, run.choosing(config(root)), part="validation") for p in (prepared, blind)
    ]
    assert judged[0].metrics == judged[1].metrics
