"""Many runs from one plan: what it trains, in which order, and that it goes on."""

import pytest
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import ConfigError, RunError
from irisrec.experiments import run
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.many import Many, read_plan
from irisrec.experiments.tuning import tune

CONFIG = """
[data]
source = "shop"
[data.shop]
n_users = 60
n_items = 40
[model]
name = "fism"
dim = 8
ridge = 10
[training]
epochs = 1
batch_users = 30
[evaluation]
n_sampled = 20
"""
PLAN = """
config = "shop.toml"
[common]
evaluation.metrics = ["hr", "ndcg", "mrr"]
[methods.fism]
seeds = 2
model.ridge = ""
training.learning_rate = 0.02
[methods.ease]
trials = 2
model.name = "ease"
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(run, "write_report", lambda folder: None)
    monkeypatch.setattr(run, "draw_curves", lambda *arguments: None)
    monkeypatch.setattr(tune, "draw_study", lambda *arguments: None)
    (tmp_path / "shop.toml").write_text(CONFIG)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def arguments(plan):
    return [
        "train-all",
        str(plan),
        "--out",
        str(plan.parent / "out"),
        "--set",
        f"data.root={plan.parent}/shop",
    ]


def test_every_method_is_read_with_its_own_options(plan):
    fism, ease = read_plan(plan, ["training.epochs=3"])
    assert (fism.n_seeds, fism.n_trials, ease.n_seeds, ease.n_trials) == (2, 0, 1, 2)
    assert fism.config.model.ridge is None  # the file's 10 is unset
    assert fism.config.training.learning_rate == 0.02
    assert fism.config.training.epochs == ease.config.training.epochs == 3
    assert fism.config.evaluation.metrics == ease.config.evaluation.metrics == ("hr", "ndcg", "mrr")
    assert "training.learning_rate" in fism.given
    assert "training.learning_rate" not in ease.given


def test_seeds_can_be_limited_for_all_methods(plan):
    assert [one.n_seeds for one in read_plan(plan, most_seeds=1)] == [1, 1]
    assert [one.n_seeds for one in read_plan(plan, most_seeds=5)] == [2, 1]
    listed = CliRunner().invoke(app, [*arguments(plan), "--list", "--seeds", "1"], catch_exceptions=False)
    assert "2 runs" in listed.output


def test_all_runs_are_made_once_and_every_method_before_second_seeds(plan):
    told = CliRunner().invoke(app, arguments(plan), catch_exceptions=False)
    assert told.exit_code == 0
    out = plan.parent / "out"
    many = Many(out, read_plan(plan, [f"data.root={plan.parent}/shop"]))
    assert [many.path(*one).name for one in many.order] == ["fism-0", "ease-0", "fism-1"]
    configs = [ExperimentConfig.load(many.path(*one) / "config.toml") for one in many.order]
    assert [config.training.seed for config in configs] == [0, 0, 1]
    best = ExperimentConfig.load(out / "studies" / "ease" / "best.toml")
    assert configs[1].model == best.model
    assert many.study(many.methods[1]).read_description()["finished"] == 2
    times = [(many.path(*one) / "evaluation.json").stat().st_mtime_ns for one in many.order]
    assert times == sorted(times)

    listed = CliRunner().invoke(app, [*arguments(plan), "--list"], catch_exceptions=False).output
    assert "| ease-0 | finished | 2 of 2 |" in listed
    assert "3 runs, 0 of them" in listed
    assert CliRunner().invoke(app, arguments(plan), catch_exceptions=False).exit_code == 0
    assert [(many.path(*one) / "evaluation.json").stat().st_mtime_ns for one in many.order] == times


def test_one_that_cannot_be_trained_is_named_and_the_others_are_made(plan):
    plan.write_text(PLAN.replace('model.name = "ease"', 'model.name = "content-knn"'))
    told = CliRunner().invoke(app, arguments(plan), catch_exceptions=False)
    assert told.exit_code == 1
    assert "left out: ease, seed 0:" in told.output
    assert (plan.parent / "out" / "fism-1" / "evaluation.json").exists()
    with pytest.raises(RunError, match="content-knn"):
        Many(plan.parent / "alone", read_plan(plan, [f"data.root={plan.parent}/shop"], ["ease"])).make()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds = 2", "seeds = 0", "methods.fism.seeds"),
        ("seeds = 2", "seed = 2", "method fism"),
        ("learning_rate", "learning_rat", "did you mean 'learning_rate'"),
        ("model.ridge", "model.rigde", "did you mean 'ridge'"),
        ("[common]", "[comon]", "did you mean 'common'"),
        ('config = "shop.toml"', 'config = "none.toml"', "there is no config file"),
    ],
)
def test_mistakes_in_a_plan_are_named(plan, old, new, words):
    plan.write_text(PLAN.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        read_plan(plan)


def test_an_unknown_method_is_refused(plan):
    with pytest.raises(ConfigError, match="did you mean 'fism'"):
        read_plan(plan, only=["fissm"])
