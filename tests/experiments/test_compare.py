import json

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import RunError
from irisrec.experiments.compare import compare_runs
from irisrec.experiments.comparing.save import save_comparison
from irisrec.experiments.comparing.text import as_text
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.run import train


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Users of two tastes: FISM can tell them apart, popularity cannot; and runs that are not comparable."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(80) for i in rng.choice(20, 9, replace=False) + 20 * (u % 2)]
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    pl.DataFrame(pairs[9:], schema=["user_id", "item_id"], orient="row").write_csv(root / "fewer.csv")
    wanted = {
        "popularity": {},
        "fism": {"model": {"name": "fism", "dim": 8}},
        "other-split": {"split": {"seed": 1}},
        "other-data": {"data": {"root": root, "interactions": "fewer.csv"}},
        "other-candidates": {"evaluation": {"n_sampled": 10}},
    }
    for name, sections in wanted.items():
        sections = {
            "data": {"root": root, "interactions": "pairs.csv"},
            "model": {"name": "popularity"},
            "training": {"epochs": 20, "learning_rate": 0.05},
            "evaluation": {"n_sampled": 15},
        } | sections
        train(ExperimentConfig.read(sections), root / name)
    return root


def test_a_run_that_sees_more_is_found_better_and_marked(runs):
    comparison = compare_runs([runs / "popularity", runs / "fism"])
    assert comparison.runs == {"popularity": "Popularity", "fism": "FISM"}
    rows = comparison.table.filter((pl.col("run") == "fism") & (pl.col("metric") == "ndcg@10"))
    assert rows["protocol"].to_list() == ["full", "sampled-15"]
    for row in rows.iter_rows(named=True):
        assert row["difference_low"] > 0
        assert row["p_holm"] < 0.05
    assert "*" in as_text(comparison).splitlines()[-1]


def test_means_are_those_of_the_evaluation(runs):
    saved = json.loads((runs / "fism" / "evaluation.json").read_text())["protocols"]
    table = compare_runs([runs / "popularity", runs / "fism"]).table.filter(pl.col("run") == "fism")
    for row in table.iter_rows(named=True):
        assert row["mean"] == pytest.approx(saved[row["protocol"]][row["metric"]])
        assert row["low"] <= row["mean"] <= row["high"]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ("other-data", "compared on the same data"),
        ("other-split", "compared on the same split"),
        ("other-candidates", r"same candidates, .* have evaluation.n_sampled = 15 and 10"),
        ("popularity", "is given twice"),
        ("nowhere", "not a run folder"),
    ],
)
def test_runs_that_were_judged_on_other_things_are_refused(runs, other, sentence):
    with pytest.raises(RunError, match=sentence):
        compare_runs([runs / "popularity", runs / other])


def test_a_metric_that_nobody_computed_is_refused(runs):
    with pytest.raises(RunError, match="popularity has no values of map@5"):
        compare_runs([runs / "popularity", runs / "fism"], ["map@5"])


def test_a_folder_gets_markdown_csv_and_a_picture(runs, tmp_path):
    comparison = compare_runs([runs / "popularity", runs / "fism"], ["ndcg@10", "hr@10"])
    written = save_comparison(comparison, tmp_path / "new")
    assert [path.name for path in written] == [
        "report.html",
        "comparison.md",
        "comparison.csv",
        "slices.csv",
        "comparison.png",
    ]
    words = written[1].read_text()
    assert "| fism | FISM |" in words
    assert "Slices of users" in words
    assert pl.read_csv(written[2]).height == comparison.table.height
    with Image.open(written[4]) as picture:
        assert min(picture.size) > 200


def test_the_command_prints_only_json(runs):
    result = CliRunner().invoke(app, ["compare", str(runs / "popularity"), str(runs / "fism"), "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["reference"] == "popularity"
    assert {"run", "metric", "mean", "low", "high", "difference", "p", "p_holm"} <= printed["table"][1].keys()
    assert CliRunner().invoke(app, ["compare", str(runs / "fism")]).exit_code == 2
