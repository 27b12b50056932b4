"""The paper's tables by name, all of them, on a built-in shop so small that only the form can be judged."""

import json
import shutil
from dataclasses import replace

import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.data.dataset import Dataset
from irisrec.data.interactions import Interactions
from irisrec.errors import ConfigError, FeatureError, RunError
from irisrec.experiments import finished_run, run
from irisrec.experiments.paper import methods
from irisrec.experiments.paper.given import GivenRuns, NotGivenError
from irisrec.experiments.paper.methods import METHODS, Method, known_methods
from irisrec.experiments.paper.numbers import paper, statistics_of
from irisrec.experiments.paper.plan import plan
from irisrec.experiments.paper.reproduce import reproduce
from irisrec.experiments.paper.settings import config_of, users_per_step
from irisrec.experiments.paper.sources import Source, read_source
from irisrec.experiments.paper.workshop import Workshop
from irisrec.experiments.tuning import tune
from irisrec.experiments.tuning.study import Budget
from irisrec.models.options import MODEL_NAMES

CONFIG = """
[data]
source = "shop"
root = "{root}/shop"
[data.shop]
n_users = 60
n_items = 40
[features.image]
encoder = "colour-hog"
[features.text]
encoder = "doc2vec"
dim = 8
epochs = 1
[evaluation]
n_sampled = 20
"""
SMALL = ("training.epochs=2", "training.batch_users=30", "model.hidden=8")
FORMATS = ("csv", "md", "png")


@pytest.fixture(scope="module", autouse=True)
def _no_reports(tmp_path_factory):
    """The pages and curves of runs are tested elsewhere and take longer than their training here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(run, "write_report", lambda folder: None)
        patch.setattr(run, "draw_curves", lambda *arguments: None)
        patch.setattr(tune, "draw_study", lambda *arguments: None)
        yield


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> list[Source]:
    folder = tmp_path_factory.mktemp("data")
    path = folder / "shop.toml"
    path.write_text(CONFIG.format(root=folder))
    return [read_source(f"{name}={path}") for name in ("movielens", "hm")]


@pytest.fixture(scope="module")
def whole(sources, tmp_path_factory):
    """Everything, in the paper's mode."""
    out = tmp_path_factory.mktemp("whole")
    nowhere = str(out / "no-such-encoder")
    return out, *reproduce(["all"], sources, Workshop(out, "as-in-paper", overrides=SMALL), nowhere)


def stems(written) -> set[str]:
    return {path.stem for path in written}


def values_of(out, stem: str, protocol: str = "sampled-20") -> dict[tuple[str, str], float]:
    rows = pl.read_csv(out / f"{stem}.csv").filter(pl.col("protocol") == protocol)
    return {(row["method"], row["metric"]): row["mean"] for row in rows.iter_rows(named=True)}


def test_all_writes_every_table_and_figure_in_three_formats(whole):
    out, written, left_out = whole
    expected = {"table1", "table3-hm-as-in-paper"}
    expected |= {f"{name}-as-in-paper" for name in paper() if name not in ("table1", "table3")}
    assert stems(written) == expected
    assert left_out == []
    for stem in expected:
        files = [out / f"{stem}.{suffix}" for suffix in FORMATS]
        assert all(file in written for file in files)
        assert len(pl.read_csv(files[0])) > 1
        assert f"]({stem}.png)" in files[1].read_text()
        with Image.open(files[2]) as picture:
            assert min(picture.size) > 100


@pytest.mark.parametrize("name", [name for name, spec in paper().items() if spec["kind"] == "comparison"])
def test_every_number_of_the_paper_stands_beside_ours(whole, name):
    out, _, _ = whole
    (page,) = out.glob(f"{name}-*.md")
    words = page.read_text()
    for row in paper()[name]["rows"]:
        is_here = (
            METHODS[row.get("method", "Multimodal IRIS")].model in MODEL_NAMES and row.get("text") != "BERT"
        )
        for value in row["values"] if is_here else ():
            assert f"{value:.4f}" in words


def test_our_numbers_are_those_of_the_runs(whole):
    out, _, _ = whole
    rows = pl.read_csv(out / "table2-as-in-paper.csv")
    assert set(rows["protocol"]) == {"sampled-20", "full"}
    for row in rows.iter_rows(named=True):
        saved = json.loads((out / "runs" / row["runs"] / "evaluation.json").read_text())["protocols"]
        assert row["mean"] == pytest.approx(saved[row["protocol"]][row["metric"]])
        assert row["low"] <= row["mean"] <= row["high"]


def test_tables_share_their_runs(whole):
    out, _, _ = whole
    wide, sized = values_of(out, "table2-as-in-paper"), values_of(out, "table5-as-in-paper")
    assert all(wide[key] == sized[key] for key in wide.keys() & sized.keys())
    texts = values_of(out, "table6-as-in-paper")
    assert texts["Doc2Vec, size 64", "hr@10"] == wide["Multimodal IRIS", "hr@10"]


def test_what_cannot_be_measured_is_said(whole):
    out, _, _ = whole
    words = (out / "table6-as-in-paper.md").read_text()
    assert "## What is not here\n\n- BERT, size 16: the model" in words
    assert "in the place of Amazon" in (out / "table1.md").read_text()
    assert "stand in for the paper's Amazon" in (out / "table3-hm-as-in-paper.md").read_text()


def test_reasons_are_ordered_by_relevance_and_not_by_contribution(whole):
    out, _, _ = whole
    rows = pl.read_csv(out / "table8-as-in-paper.csv")
    assert rows["place"].unique().sort().to_list() == [1, 2, 3]
    for _, part in rows.group_by("place"):
        assert part["relevance"].is_sorted(descending=True)
    words = (out / "table8-as-in-paper.md").read_text()
    assert "The data have no user 3298: shown is user" in words
    assert "Jerry Maguire (0.771)" in words


def test_the_figure_of_relevance_shows_one_history_for_five_targets(whole):
    out, _, _ = whole
    rows = pl.read_csv(out / "figure1-as-in-paper.csv")
    assert rows["target"].unique().sort().to_list() == [1, 2, 3, 4, 5]
    histories = [part["history_item_id"].to_list() for _, part in rows.group_by("target")]
    assert all(history == histories[0] for history in histories)
    assert len(histories[0]) == 6


def test_the_curves_are_those_of_the_runs(whole):
    out, _, _ = whole
    rows = pl.read_csv(out / "figure6-as-in-paper.csv").filter(pl.col("method") == "NAIS")
    (saved,) = out.glob("runs/movielens-nais-dim64-*/metrics.json")
    assert rows["loss"].to_list() == [record["loss"] for record in json.loads(saved.read_text())]


def test_finished_runs_are_not_trained_again(whole, sources, monkeypatch):
    out, _, _ = whole
    before = (out / "table5-as-in-paper.csv").read_bytes()
    monkeypatch.setattr(finished_run, "train", None)
    monkeypatch.setattr(finished_run, "resume", None)
    reproduce(["table5"], sources, Workshop(out, "as-in-paper", overrides=SMALL))
    assert (out / "table5-as-in-paper.csv").read_bytes() == before
    with pytest.raises(RunError, match=r"training\.epochs = 2 and not 1; repeat it as it was begun"):
        reproduce(
            ["table5"], sources, Workshop(out, "as-in-paper", overrides=("training.epochs=1", *SMALL[1:]))
        )


def test_a_killed_reproduction_goes_on_to_the_same_table(whole, sources, tmp_path, monkeypatch):
    out, _, _ = whole
    makes, fit_model = [], run.fit_model

    def cut_off(config, prepared, checkpoint, after_epoch):
        def stop(progress):
            after_epoch(progress)
            if len(makes) == 2:
                raise KeyboardInterrupt

        makes.append(config.model.name)
        return fit_model(config, prepared, checkpoint, stop)

    again = Workshop(tmp_path, "as-in-paper", overrides=SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(run, "fit_model", cut_off)
        with pytest.raises(KeyboardInterrupt):
            reproduce(["table5"], sources, again)
    assert makes == ["fism", "nais"]
    reproduce(["table5"], sources, again)
    assert values_of(tmp_path, "table5-as-in-paper") == values_of(out, "table5-as-in-paper")


def test_tuned_methods_have_one_budget_and_say_what_was_chosen(sources, tmp_path):
    tuned = Workshop(tmp_path, "tuned", Budget(1), n_seeds=2, overrides=SMALL)
    written, _ = reproduce(["table4"], sources, tuned)
    assert stems(written) == {"table4-tuned"}
    studies = {
        path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("studies/*/study.json")
    }
    assert len(studies) == 4
    for study in studies.values():
        assert study["budget"]["trials"] == study["finished"] == 1
        assert not {"model.dim", "training.epochs", "model.hidden"} & study["space"].keys()
    words = (tmp_path / "table4-tuned.md").read_text()
    assert "tuned on validation NDCG@10 over all items: 1 trial each" in words
    assert "- NAIS: 1 trial in" in words
    assert "learning_rate" in words
    rows = pl.read_csv(tmp_path / "table4-tuned.csv")
    assert set(rows["seeds"]) == {2}
    assert rows["sd_over_seeds"].null_count() == 0
    assert len(list(tmp_path.glob("runs/*-tuned-seed1"))) == 4


def test_a_method_without_a_model_is_named_and_the_others_are_measured(whole, sources, tmp_path, monkeypatch):
    shutil.copytree(whole[0] / "runs", tmp_path / "runs")
    monkeypatch.setattr(methods, "MODEL_NAMES", ("nais",))
    reproduce(["table5"], sources, Workshop(tmp_path, "as-in-paper", overrides=SMALL))
    words = (tmp_path / "table5-as-in-paper.md").read_text()
    assert "- FISM: this version has no model for it." in words
    assert "| NAIS |" in words
    assert "| FISM |" not in words


def test_a_method_whose_content_is_not_there_is_named(sources, tmp_path):
    blind = Source("movielens", "films", {**sources[0].sections, "features": {}})
    with pytest.raises(
        FeatureError, match="Multimodal IRIS reads image and text, which films has no encoder for"
    ):
        reproduce(["table7"], [blind], Workshop(tmp_path, "as-in-paper", overrides=SMALL))


@pytest.mark.parametrize(
    ("names", "given", "sentence"),
    [
        (["tabel2"], "movielens", "there is no 'tabel2'; .*did you mean 'table2'"),
        (["table3"], "movielens", "table3 needs --data amazon=FOLDER or --data hm=FOLDER"),
        (["table2"], "hm", "table2 needs --data movielens=FOLDER"),
    ],
)
def test_what_cannot_be_made_is_refused_before_any_work(sources, tmp_path, names, given, sentence):
    chosen = [source for source in sources if source.name == given]
    with pytest.raises(ConfigError, match=sentence):
        reproduce(names, chosen, Workshop(tmp_path / "out", "as-in-paper"))
    assert not (tmp_path / "out").exists()


def test_the_command_makes_a_table(sources, tmp_path):
    config = tmp_path / "shop.toml"
    config.write_text(CONFIG.format(root=tmp_path))
    arguments = ["reproduce", "table1", "--data", f"movielens={config}", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    assert "written: " in result.stdout
    assert CliRunner().invoke(app, [*arguments, "--tuned"]).exit_code == 2


def test_the_paper_s_own_tables_agree_where_they_repeat_a_number():
    numbers = paper()
    wide = {row["method"]: row["values"] for row in numbers["table2"]["rows"]}
    for row in numbers["table5"]["rows"]:
        assert row["values"][:2] == wide[row["method"]]
    sizes = {
        row["dim"]: row["values"][:2] for name in ("table4", "table5") for row in numbers[name]["rows"][-1:]
    }
    assert all(
        row["values"] == sizes[row["dim"]] for row in numbers["table6"]["rows"] if row["text"] == "BERT"
    )
    for data in ("movielens", "amazon"):
        row = statistics_of(data)
        assert row["interactions"] / (row["users"] * row["items"]) == pytest.approx(row["density"], rel=0.01)


def test_the_paper_s_settings_are_the_paper_s(sources):
    config = config_of(sources[0], METHODS["Multimodal IRIS"], "as-in-paper", {"model.dim": 16}, (), 7)
    model, training = config.model, config.training
    assert (model.dim, model.hidden, model.alpha, model.beta) == (16, 768, 0.0, 0.8)
    assert (training.loss, training.negatives, training.n_negatives) == ("log", "sampled", 4)
    assert (training.learning_rate, training.schedule, training.batch_users) == (0.001, "constant", 7)


def test_overrides_reach_the_models_that_read_them_and_tables_have_the_last_word(sources):
    overrides = ("model.hidden=8", "model.dim=5", "training.history_dropout=0.5")
    iris = config_of(sources[0], METHODS["Image IRIS"], "tuned", {"model.dim": 16}, overrides)
    assert (iris.model.hidden, iris.model.dim, iris.training.history_dropout) == (8, 16, 0.5)
    vbpr = config_of(sources[0], METHODS["VBPR"], "tuned", {}, overrides)
    assert (vbpr.model.dim, vbpr.training.history_dropout, vbpr.model.modalities) == (5, 0.0, ("image",))
    with pytest.raises(ConfigError, match="did you mean 'hidden'"):
        config_of(sources[0], Method("FISM", "fism", {}), "tuned", {}, ("model.hiden=8",))


def test_a_step_has_about_as_many_samples_as_the_paper_s():
    pairs = [(user, item) for user in range(50) for item in range(8)]
    dataset = Dataset.build(Interactions(pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")))
    assert users_per_step(dataset) == round(512 / (6 * 5))


def test_a_movielens_folder_is_read_as_it_is(tmp_path):
    (tmp_path / "posters").mkdir()
    table = pl.DataFrame({"movieId": [1, 2, 3], "plot": ["a", "b", "c"], "plot_source": ["x", "y", "x"]})
    table.write_csv(tmp_path / "plots.csv")
    sections = read_source(f"movielens={tmp_path}").sections
    assert sections["data"]["filters"] == {"catalog": {"plot_source": "x"}}
    assert sections["data"]["pictures"] == "posters/{item_id}.jpg"
    table.with_columns(poster=pl.lit("posters/1.jpg")).write_csv(tmp_path / "plots.csv")
    assert read_source(f"movielens={tmp_path}").sections["data"]["pictures"] == "poster"


def test_an_amazon_folder_takes_collected_pictures_or_published_features(tmp_path):
    assert read_source(f"amazon={tmp_path}").modalities == ("text",)
    (tmp_path / "image_features.npy").touch()
    assert read_source(f"amazon={tmp_path}").sections["features"]["image"]["encoder"] == "vectors"
    (tmp_path / "pictures").mkdir()
    assert read_source(f"amazon={tmp_path}").sections["features"]["image"]["encoder"] == "colour-hog"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("movielens", "needs NAME=FOLDER or NAME=CONFIG.toml"),
        ("movie-lens=x", "did you mean 'movielens'"),
        ("hm=/no/such/folder", "a folder or a config that is there"),
        ("hm=/no/such.toml", "there is no config file"),
    ],
)
def test_data_that_are_not_there_get_one_sentence(given, sentence):
    with pytest.raises(ConfigError, match=sentence):
        read_source(given)


def finished_of_movielens(out, *, without="nothing"):
    found = sorted((out / "runs").glob("movielens-*"))
    states = {path: json.loads((path / "run.json").read_text())["state"] for path in found}
    return [path for path in found if states[path] == "finished" and without not in path.name]


def test_given_runs_make_the_tables_that_they_can_and_nothing_is_trained(
    whole, sources, tmp_path, monkeypatch
):
    out, *_ = whole
    monkeypatch.setattr(finished_run, "train", lambda *arguments: pytest.fail("a run was made"))
    given = GivenRuns.read(finished_of_movielens(out))
    names = ["table4", "table6", "table7", "figure6"]
    # of size 16 and of size 64 there is one of each method: what names no size cannot be told apart
    written, left_out = reproduce(names, sources[:1], Workshop(tmp_path, "given", given=given))
    assert stems(written) == {"table4-given", "table6-given"}
    assert any("figure6: 2 of the given runs could be FISM" in sentence for sentence in left_out)
    assert any("table7: " in sentence for sentence in left_out)
    assert values_of(tmp_path, "table4-given") == values_of(out, "table4-as-in-paper")
    page = (tmp_path / "table6-given.md").read_text()
    assert "from given runs" in page
    assert "BERT, size 16: none of the given runs on these data is Multimodal IRIS" in page
    only_wide = GivenRuns.read(finished_of_movielens(out, without="dim16"))
    written, _ = reproduce(["table7"], sources[:1], Workshop(tmp_path, "given", given=only_wide))
    assert stems(written) == {"table7-given"}


def test_runs_with_our_extensions_are_never_the_papers_method(whole, sources):
    given = GivenRuns.read(finished_of_movielens(whole[0]))
    dataset = sources[0].load()
    found = given.find(dataset, METHODS["FISM"], {"model.dim": 16})
    assert found.runs[0].config.model.dim == 16
    ours = found.runs[0].config.having({"model.ridge": 50.0})
    run_of_ours = replace(found.runs[0], config=ours)
    only = replace(given.sections[0], methods=(replace(found, runs=(run_of_ours,)),))
    with pytest.raises(NotGivenError, match="none of the given runs on these data is FISM with dim 16"):
        GivenRuns((only,)).find(dataset, METHODS["FISM"], {"model.dim": 16})


def test_a_plan_names_every_run_once_and_trains_none(whole, sources, tmp_path):
    out, *_ = whole
    there = plan(["all"], sources[:1], Workshop(out, "as-in-paper", overrides=SMALL), "bert")
    assert (
        "| movielens-fism-dim64-as-in-paper-seed0 | finished |  | 2 × 2 | table2, table5 and figure6 |"
        in there
    )
    lines = plan(
        ["table2"], sources[:1], Workshop(tmp_path, "as-in-paper", only=("NAIS", "FISM")), None
    ).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:4]] == ["missing", "missing"]
    assert lines[-1] == "2 runs, 2 of them to be trained (to their end)."
    tuned = Workshop(tmp_path, "tuned", Budget(3), only=("NAIS",))
    assert "| 0 of 3 |" in plan(["table2"], sources[:1], tuned, None)
    assert not any(tmp_path.iterdir())


def test_methods_that_are_not_asked_for_are_left_out_and_said(whole, sources):
    out, *_ = whole
    some = Workshop(out, "as-in-paper", overrides=SMALL, only=known_methods(["nais"]))
    reproduce(["table5"], sources[:1], some)
    page = (out / "table5-as-in-paper.md").read_text()
    assert "- FISM: not asked for." in page
    assert "| NAIS |" in page
    with pytest.raises(ConfigError, match="the paper has no method 'NASI'"):
        known_methods(["NASI"])


def test_a_folder_tells_by_its_files_what_it_is(tmp_path):
    (tmp_path / "movies.dat").touch()
    assert read_source(str(tmp_path)).name == "movielens"
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ConfigError, match="needs NAME=FOLDER"):
        read_source(str(other))
