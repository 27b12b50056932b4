"""A small run asked why: explain, similar and faithfulness through their commands, and what the report tells."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import IrisrecError
from irisrec.experiments import faithfulness, report, run
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.faithfulness import judge_reasons
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.findings import Findings
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.page import Section, Top, render

N_USERS, N_ITEMS, N_TASTES = 80, 40, 4


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each user has one taste; one vector per item tells which, another says nothing."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    tastes = np.arange(N_ITEMS) % N_TASTES
    pairs = [
        (u, int(i))
        for u in range(N_USERS)
        for i in rng.choice(np.flatnonzero(tastes == u % N_TASTES), 6, False)
    ]
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    vectors = {"telling": np.eye(N_TASTES)[tastes], "silent": np.zeros((N_ITEMS, N_TASTES))}
    for name, values in vectors.items():
        values = (values + rng.normal(0, 0.1, values.shape)).astype(np.float32)
        np.savez(root / f"{name}.npz", ids=np.arange(N_ITEMS), values=values)
    sections = {
        "data": {"root": root, "interactions": "pairs.csv"},
        "features": {name: {"encoder": "vectors", "path": f"{name}.npz"} for name in vectors},
        "training": {"epochs": 3, "batch_users": 40, "history_dropout": 0.3},
        "evaluation": {"n_sampled": 0, "cutoffs": [3]},
    }
    models = {
        "iris": {"name": "multimodal-iris", "dim": 8, "hidden": 8, "content_factors": True},
        "ease": {"name": "ease"},
        "popularity": {"name": "popularity"},
    }
    with pytest.MonkeyPatch.context() as patch:  # a report takes longer than everything else here
        patch.setattr(run, "write_report", lambda folder: None)
        patch.setattr(report, "write_report", lambda folder: None)
        for name, model in models.items():
            run.train(ExperimentConfig.read(sections | {"model": model}), root / name)
        yield root


def irisrec(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_explain_tells_a_user_of_any_item_in_words_and_numbers(runs):
    item = json.loads(irisrec("recommend", runs / "iris", "--user", 5, "-k", 1, "--json"))[0]["item_id"]
    told = irisrec("explain", runs / "iris", "--user", 5, "--item", item, "--verb", "wore")
    assert "is recommended, at rank 1" in told
    assert "Because you wore" in told
    assert "telling" in told
    assert "score without" in told
    found = json.loads(irisrec("explain", runs / "iris", "--user", 5, "--item", 2, "--json", "--reasons", 9))
    assert not found["is_recommended"]
    assert found["behind"]["item_id"] != 2
    named = sum(reason["contribution"] for reason in (*found["because"], *found["against"]))
    assert found["bias"] + named == pytest.approx(found["score"], abs=1e-4)


def test_explain_takes_a_history_and_a_model_without_reasons(runs):
    told = irisrec("explain", runs / "popularity", "--history", "0,4,8", "--item", 3)
    assert "it has no reasons to give" in told
    assert "Because you had 4" in irisrec(
        "explain", runs / "ease", "--history", "0,4,8", "--item", 12, "-k", 3
    )
    wrong = CliRunner().invoke(app, ["explain", str(runs / "ease"), "--item", "3"])
    assert wrong.exit_code == 2
    assert "give either --user ID or --history" in wrong.stderr


def test_similar_lists_items_in_every_way_that_there_is(runs):
    ways = json.loads(irisrec("similar", runs / "iris", "--item", 5, "-k", 4, "--json"))
    assert list(ways) == ["learned", "relevance", "silent", "telling"]
    assert all(len(found) == 4 for found in ways.values())
    assert {one["item_id"] % N_TASTES for one in ways["telling"]} == {1}
    told = CliRunner().invoke(app, ["similar", str(runs / "popularity"), "--item", "5"])
    assert told.stdout == ""
    assert "not by learned: Popularity learns no vectors" in " ".join(told.stderr.split())
    assert irisrec("similar", runs / "iris", "--item", 5, "--by", "telling", "-k", 1).startswith(
        "by telling\n"
    )


def test_faithfulness_is_measured_beside_ials_and_kept_in_the_run(runs):
    pytest.importorskip("implicit")
    found = json.loads(irisrec("faithfulness", runs / "iris", "--users", 40, "-k", 3, "--json"))
    assert list(found["models"]) == ["Multimodal IRIS", "iALS"]
    for model in found["models"].values():
        orders = model["orders"]
        assert orders["contribution"]["deletion"][0] < orders["random"]["deletion"][0]
        assert orders["contribution"]["speed"] > 0.5
    assert json.loads((runs / "iris" / "faithfulness.json").read_text()) == found


def test_the_table_names_orders_and_measures(runs):
    told = irisrec("faithfulness", runs / "ease", "--users", 10)
    assert "EASE: history items go by" in told
    assert "contribution, highest first" in told
    assert "steepest fall" in told


def test_without_the_package_of_ials_the_run_is_measured_alone_and_it_is_said(runs, monkeypatch):
    def missing(*_, **__):
        raise faithfulness.ModelError("install it with: pip install 'irisrec[baselines]'")

    monkeypatch.setattr(faithfulness, "build_model", missing)
    judged = judge_reasons(runs / "ease", n_users=5)
    assert list(judged.models) == ["EASE"]
    assert "iALS is not measured beside: install it" in str(judged.notes[0])


def test_a_model_without_reasons_is_refused(runs):
    with pytest.raises(IrisrecError, match="has no reasons that could be judged"):
        judge_reasons(runs / "popularity")


def test_the_report_shows_what_was_measured_or_how_to_measure_it(runs):
    sections = {section.name: section for section in report.SECTIONS}
    build = sections["faithfulness"].build
    (runs / "ease" / "faithfulness.json").unlink(missing_ok=True)
    before = build(FinishedRun.load(RunFolder(runs / "ease")))
    assert before.missing[0][1] == f"irisrec faithfulness {runs / 'ease'}"
    judge_reasons(runs / "ease", n_users=5)
    found = build(FinishedRun.load(RunFolder(runs / "ease")))
    assert isinstance(found, Findings)
    assert not found.missing
    page = render(Top("", "", "", ()), [Section("x", "x", lambda _: found)], None)
    assert "history items go by" in page
    assert page.count("<svg") == len(found.charts) == 2
    assert build(FinishedRun.load(RunFolder(runs / "popularity"))) is None
