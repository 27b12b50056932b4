"""The page of results, from runs of the built-in shop with several seeds."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import RunError
from irisrec.evaluation.significance import compare
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.results.findings import details, findings
from irisrec.experiments.results.method import methods_of
from irisrec.experiments.results.page import write_results
from irisrec.experiments.results.section import finished_runs, sections_of
from irisrec.experiments.results.standing import is_marked, standings
from irisrec.experiments.results.tables import differences_table, metrics_table
from irisrec.experiments.run import train

SHOP = {"n_users": 120, "n_items": 60}
FISM = {"name": "fism", "dim": 4}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A folder of runs: popularity, EASE, FISM with three seeds, FISM with our ridge, FISM of another width."""
    root = tmp_path_factory.mktemp("results")
    wanted = {
        "popularity": {"name": "popularity"},
        "ease": {"name": "ease", "regularization": 50.0},
        "fism-ridge": FISM | {"ridge": 50.0},
        "fism-wide": FISM | {"dim": 6},
    } | {f"fism-{seed}": FISM for seed in range(3)}
    for name, model in wanted.items():
        seed = int(name[-1]) if name[-1].isdigit() else 0
        train(config(root, model, seed), root / "table" / name)
    return root / "table"


def config(root, model, seed=0, **sections):
    values = {
        "data": {"source": "shop", "root": str(root / "shop-data"), "shop": SHOP},
        "model": model,
        "training": {"epochs": 2, "batch_users": 60, "seed": seed},
        "evaluation": {"n_sampled": 15},
    }
    return ExperimentConfig.read(values | sections)


@pytest.fixture(scope="module")
def page(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("docs") / "results.md"
    assert write_results([table], out) == [
        out,
        out.with_name("results-the-built-in-shop-random-leave-one-out.png"),
    ]
    return out


def section(table):
    (found,) = sections_of(finished_runs([table]))
    return found


def test_runs_that_differ_in_the_seed_alone_are_one_method(table):
    methods = {method.name: method for method in section(table).methods}
    assert methods.keys() == {"Popularity", "EASE", "FISM (dim 4)", "FISM (dim 6)", "FISM + ridge (ours)"}
    assert [run.config.training.seed for run in methods["FISM (dim 4)"].runs] == [0, 1, 2]


def test_namesakes_are_told_apart_by_one_setting_where_one_does(tmp_path):
    def run(model, **features):
        values = {"data": {"source": "shop", "root": str(tmp_path)}, "model": model, "features": features}
        return FinishedRun(RunFolder(tmp_path), ExperimentConfig.read(values), {}, {}, [])

    both = {"image": {"encoder": "colour-hog"}, "text": {"encoder": "doc2vec"}}
    knn = [
        run({"name": "content-knn", "modalities": [m], "n_neighbors": n}, **both)
        for m, n in (("image", 5), ("text", 9))
    ]
    assert [one.name for one in methods_of(knn)] == ["Content kNN (image)", "Content kNN (text)"]
    ease = [run({"name": "ease", "regularization": weight}) for weight in (5, 50)]
    assert [one.name for one in methods_of(ease)] == ["EASE (regularization 5)", "EASE (regularization 50)"]
    grid = [run({"name": "item-knn", "n_neighbors": k, "shrinkage": s}) for k in (5, 6) for s in (0, 1)]
    assert methods_of(grid)[1].name == "ItemKNN (n_neighbors 5, shrinkage 1)"
    ours = [run(FISM | {"ridge": weight}) for weight in (5, 50)]
    assert methods_of(ours)[0].name == "FISM + ridge (ours; ridge 5)"


def test_values_are_means_of_the_runs_with_their_standard_deviation(table):
    saved = [json.loads((table / f"fism-{n}" / "evaluation.json").read_text())["protocols"] for n in range(3)]
    for stand in standings(section(table).methods):
        for metric in ("hr@10", "ndcg@10", "hr@20"):
            row = stand.estimate("FISM (dim 4)", metric)
            values = [one[stand.protocol][metric] for one in saved]
            assert row["mean"] == pytest.approx(np.mean(values))
            assert row["spread"] == pytest.approx(np.std(values, ddof=1))
            assert stand.estimate("EASE", metric)["spread"] is None


def test_the_first_has_the_highest_ndcg_and_the_others_are_tested_against_it(table):
    sampled, full = standings(section(table).methods)
    assert (sampled.protocol, full.protocol) == ("sampled-15", "full")
    values = [full.value(name) for name in full.order]
    assert values == sorted(values, reverse=True)
    by_name = {
        method.name: method.per_user.filter(pl.col("protocol") == "full") for method in section(table).methods
    }
    pairs = {full.order[0]: by_name[full.order[0]], "Popularity": by_name["Popularity"]}
    row = compare(pairs, ["ndcg@10"]).row(1, named=True)
    ours = full.estimate("Popularity", "ndcg@10")
    assert ours["p"] == pytest.approx(row["p"])
    assert ours["difference"] == pytest.approx(full.value("Popularity") - values[0])
    assert ours["p_holm"] >= ours["p"]


def test_the_table_prints_value_star_spread_and_interval(table):
    full = standings(section(table).methods)[-1]
    lines = metrics_table(full).splitlines()
    assert lines[0] == "| method | HR@10 | NDCG@10 | HR@20 | NDCG@20 |"
    assert [line.split(" | ")[0].lstrip("| ") for line in lines[2:]] == list(full.order)
    best = full.estimate(full.order[0], "ndcg@10")
    assert f"**{best['mean']:.4f}**" in lines[2]
    row = full.estimate("FISM (dim 4)", "ndcg@10")
    star = "*" if row["p_holm"] is not None and row["p_holm"] < 0.05 else ""
    cell = f"{row['mean']:.4f}{star} ± {row['spread']:.4f} [{row['low']:.4f}–{row['high']:.4f}]"
    assert cell in next(line for line in lines if "FISM (dim 4)" in line)


def test_the_page_tells_costs_settings_and_origin(page, table):
    words = page.read_text()
    info = RunFolder(table / "ease").read_info()
    assert "| FISM (dim 4) | CPU | 3 |" in words
    assert "EASE (no study): regularization 50." in words
    assert "FISM + ridge (ours) (no study): dim 4, ridge 50, epochs 2" in words
    for fact in (
        info["data_fingerprint"],
        info["machine"]["processor"],
        f"torch {info['versions']['torch']}",
    ):
        assert fact in words
    assert "`fism-0` (seed 0), `fism-1` (seed 1), `fism-2` (seed 2)." in words
    assert "Trained with one seed alone, so without ±" in words
    assert "- Gini index: of how often items are recommended" in words
    with Image.open(page.with_name("results-the-built-in-shop-random-leave-one-out.png")) as picture:
        assert min(picture.size) > 200


def test_sentences_name_who_leads_and_whom_content_does_not_reach(table):
    methods = section(table).methods
    stands = standings(methods)
    said = findings(methods, stands)
    more = [sentence for stand in stands for sentence in details(methods, stand)]
    for stand in stands:
        first, second = stand.order[:2]
        assert any(
            s.startswith("Ranked among") and f"{first} has the highest NDCG@10" in s and second in s
            for s in said
        )
    floor = [n for n in stands[1].order if stands[1].value(n) < stands[1].value("Popularity")]
    assert any(s.startswith("Below popularity") for s in details(methods, stands[1])) == bool(floor)
    assert not any("IRIS" in s for s in said + more)


def test_a_method_ahead_of_the_iris_models_is_named_with_its_value(table, tmp_path):
    folder = tmp_path / "table"
    shutil.copytree(table / "ease", folder / "ease")
    shutil.copytree(table / "popularity", folder / "as-if-iris")
    text = (folder / "as-if-iris" / "config.toml").read_text()
    model = 'name = "text-iris"\n\n[features.text]\nencoder = "doc2vec"\n'
    (folder / "as-if-iris" / "config.toml").write_text(text.replace('name = "popularity"\n', model))
    methods = section(folder).methods
    stands = standings(methods)
    ease, iris = stands[1].value("EASE"), stands[1].value("Text IRIS")
    said = " ".join(findings(methods, stands))
    assert ease > iris
    told = "more than chance" if stands[1].is_told_apart("Text IRIS") else "may be chance"
    assert f"no IRIS model leads: EASE ({ease:.4f}, {told}) stays ahead of Text IRIS ({iris:.4f})" in said
    assert any(s.startswith("Ahead of Text IRIS in HR@20") for s in details(methods, stands[1]))


def test_every_method_is_also_tested_against_the_best_iris_model(table, tmp_path):
    folder = tmp_path / "table"
    for name in ("ease", "fism-0", "fism-ridge"):
        shutil.copytree(table / name, folder / name)
    text = (folder / "fism-0" / "config.toml").read_text()
    as_iris = text.replace('name = "fism"\n', 'name = "text-iris"\n\n[features.text]\nencoder = "doc2vec"\n')
    (folder / "fism-0" / "config.toml").write_text(as_iris)
    methods = section(folder).methods
    stand = standings(methods)[1]
    assert stand.iris == "Text IRIS"
    frames = {m.name: m.per_user.filter(pl.col("protocol") == "full") for m in methods}
    reference = {"Text IRIS": frames["Text IRIS"], "FISM + ridge (ours)": frames["FISM + ridge (ours)"]}
    alone = compare(reference, ["ndcg@10"]).row(1, named=True)
    row = stand.estimate("FISM + ridge (ours)", "ndcg@10")
    if stand.has_two_references:
        for name in ("difference", "difference_low", "difference_high", "p"):
            assert row[f"iris_{name}"] == pytest.approx(alone[name])
        assert row["iris_p_holm"] >= alone["p"]
        assert f"minus {stand.order[0]}" in differences_table(stand)
        assert "minus Text IRIS" in differences_table(stand)
    n_tests = len(stand.table["p"].drop_nulls()) + len(stand.table["iris_p"].drop_nulls())
    least = min(*stand.table["p"].drop_nulls(), *stand.table["iris_p"].drop_nulls())
    corrected = [*stand.table["p_holm"].drop_nulls(), *stand.table["iris_p_holm"].drop_nulls()]
    assert min(corrected) == pytest.approx(min(1.0, n_tests * least))


def test_another_split_is_another_section(table, tmp_path):
    other = tmp_path / "other"
    train(config(tmp_path, {"name": "popularity"}, split={"seed": 1}), other)
    assert [s.title for s in sections_of(finished_runs([table, other]))] == [
        "the built-in shop, random leave-one-out (1)",
        "the built-in shop, random leave-one-out (2)",
    ]


def test_runs_that_do_not_fit_together_are_refused(table, tmp_path):
    shutil.copytree(table / "ease", tmp_path / "again")
    with pytest.raises(RunError, match="again are the same method with the same seed 0"):
        sections_of(finished_runs([table, tmp_path / "again"]))
    train(config(table.parent, {"name": "ease"}, evaluation={"n_sampled": 10}), tmp_path / "ten")
    with pytest.raises(RunError, match="same data and split and other candidates"):
        sections_of(finished_runs([table, tmp_path / "ten"]))


def test_what_is_not_finished_is_refused_or_told(table, tmp_path, capsys):
    shutil.copytree(table / "ease", tmp_path / "runs" / "ease")
    shutil.copytree(table / "ease", tmp_path / "runs" / "half")
    half = RunFolder(tmp_path / "runs" / "half")
    half.update_info(state="running")
    assert len(finished_runs([tmp_path / "runs"])) == 1
    assert "left out, not finished" in capsys.readouterr().err
    with pytest.raises(RunError, match="half is not finished"):
        finished_runs([half.path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="not a run folder, and holds none"):
        finished_runs([tmp_path / "empty"])


def test_the_command_writes_the_page(table, tmp_path):
    result = CliRunner().invoke(app, ["results", str(table), "--out", str(tmp_path / "docs" / "results.md")])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].endswith("results.md")
    assert (tmp_path / "docs" / "results.md").read_text().startswith("# Results")


@pytest.mark.parametrize(
    ("p", "low", "high", "marked"),
    [
        (0.01, 0.1, 0.2, True),
        (0.01, -0.2, -0.1, True),
        (0.01, -0.1, 0.2, False),
        (0.06, 0.1, 0.2, False),
        (None, 0.1, 0.2, False),
    ],
)
def test_a_difference_is_more_than_chance_by_ranks_and_by_its_interval(p, low, high, marked):
    row = {"iris_p_holm": p, "iris_difference_low": low, "iris_difference_high": high}
    assert is_marked(row, "iris_") is marked
