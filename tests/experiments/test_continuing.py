"""A finished run goes on with more data: what is known stays, what is new is added, and nothing learned is judged."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.data.load import load_dataset
from irisrec.data.splits import split_dataset
from irisrec.errors import ConfigError, DataError, ModelError, RunError
from irisrec.experiments import run as running
from irisrec.experiments.adding import add_items
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.continuing import Start, continued
from irisrec.experiments.knockout import knock_out
from irisrec.experiments.run import train
from irisrec.ids import IdMap
from irisrec.models.histories import Histories
from irisrec.models.storage import load_features, load_model
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.storage import load_split
from irisrec.training.loop import fit

N_OLD, N_NEW, USERS_OLD, USERS_NEW = 24, 30, 50, 60


def write(root: Path, n_items: int, n_users: int, per_user: int, first: int = 0) -> Path:
    """Users of two tastes; each has the same first items however many are asked for. New items come first."""
    root.mkdir()
    rows = []
    for user in range(n_users):
        order = np.random.default_rng(user).permutation(n_items if user >= USERS_OLD else N_OLD)
        own = [item for item in order.tolist() if item % 2 == user % 2]
        extra = [item for item in range(N_OLD, n_items) if item % 2 == user % 2 and user % 5 == 0]
        rows += [
            (f"u{user}", f"i{item:02d}", when) for when, item in enumerate(own[:per_user] + extra, first)
        ]
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(root / "pairs.csv")
    words = ("green tea leaf garden pot", "steel bolt wrench iron tool")
    items = [(f"i{item:02d}", f"Thing {item}", f"{words[item % 2]} number{item}") for item in range(n_items)]
    table = pl.DataFrame(items, schema=["id", "name", "about"], orient="row")
    table.sort("id", descending=n_items > N_OLD).write_csv(root / "items.csv")
    return root


def config(root: Path, **sections) -> ExperimentConfig:
    columns = {
        "user": "user", "item": "item", "time": "time", "item_id": "id", "title": "name", "text": "about"
    }  # fmt: skip
    known = {
        "data": {"root": root, "interactions": "pairs.csv", "items": "items.csv", "columns": columns},
        "features": {"text": {"encoder": "doc2vec", "dim": 6, "epochs": 5, "min_count": 1}},
        "model": {"name": "text-iris", "dim": 6, "hidden": 8, "content_factors": True},
        "training": {"epochs": 8, "batch_users": 16, "learning_rate": 0.03, "patience": 0},
        "evaluation": {"n_sampled": 0},
    }
    return ExperimentConfig.read(known | sections)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("continuing")
    write(root / "old", N_OLD, USERS_OLD, 7)
    write(root / "new", N_NEW, USERS_NEW, 10)
    train(config(root / "old"), root / "run")
    return root


@pytest.fixture(scope="module")
def went_on(place):
    before = {path: path.read_bytes() for path in (place / "run").rglob("*") if path.is_file()}
    train(continued(place / "run", place / "new"), place / "went-on")
    assert before == {path: path.read_bytes() for path in (place / "run").rglob("*") if path.is_file()}
    return place / "went-on"


def items_of(run: Path) -> IdMap:
    return IdMap(load_split(run)[0].frame["item_id"], "item")


def test_the_config_is_the_runs_with_other_data_and_a_quarter_of_the_epochs(place):
    before, after = (
        ExperimentConfig.load(place / "run" / "config.toml"),
        continued(place / "run", place / "new"),
    )
    changed = {line.partition(" = ")[0] for line in after.differences(before)}
    assert changed == {"data.root", "training.epochs", "start.run", "start.fingerprint"}
    assert after.training.epochs == 2
    assert continued(place / "run", place / "new", ["training.epochs=5"]).training.epochs == 5


def test_known_rows_begin_as_they_were_and_new_ones_as_the_seed_draws_them(place, monkeypatch):
    seen = {}

    def look(model, train, config, validate, checkpoint, after_epoch, begin, new):
        seen["fresh"] = {name: w.detach().clone() for name, w in model.named_parameters()}
        begin(model)
        seen["begun"] = {name: w.detach().clone() for name, w in model.named_parameters()}
        seen["vectors"] = model.features["text"].clone()
        return fit(model, train, config, validate)

    monkeypatch.setattr(running, "fit", look)
    settings = continued(place / "run", place / "new")
    prepared = running.prepare(settings)
    running.fit_model(settings, prepared)
    learned, _ = load_model(place / "run")
    old, new = items_of(place / "run"), prepared.dataset.items
    assert new.series.to_list()[:6] == ["i29", "i28", "i27", "i26", "i25", "i24"], (
        "rows are not where they were"
    )
    here = torch.from_numpy(new.index(old.series))
    fresh = torch.tensor([row for row in range(N_NEW) if new.ids([row])[0] not in old])
    for name, weight in learned.named_parameters():
        if name in ("history_factors", "candidate_factors", "bias"):
            assert torch.equal(seen["begun"][name][here], weight)
            assert torch.equal(seen["begun"][name][fresh], seen["fresh"][name][fresh])
        else:
            assert torch.equal(seen["begun"][name], weight), name
    assert torch.equal(seen["vectors"][here], learned.features["text"]), "the same content, the same vector"
    assert seen["vectors"][fresh].any(1).all()


def test_saved_and_loaded_it_reads_its_vectors_on_the_old_scale(place, went_on):
    old, new = load_model(place / "run")[0], load_model(went_on)[0]
    here = torch.from_numpy(items_of(went_on).index(items_of(place / "run").series.to_list()))
    assert torch.equal(new.features["text"][here], old.features["text"])
    values, present = load_features(went_on)
    assert set(values) == set(present) == {"text"}
    assert not torch.allclose(values["text"].mean(0), old.scalers["text"].mean, rtol=1e-3)


def test_new_items_and_users_are_recommended_and_explained(went_on):
    recommender = Recommender.load(went_on)
    assert f"u{USERS_NEW - 1}" in recommender.users
    found = recommender.recommend(history=["i29", "i27"], k=N_NEW)
    assert {"i25", "i28"} < {item.item_id for item in found}
    assert found[0].because


@pytest.mark.parametrize(("seed", "leaks"), [(0, False), (1, True)])
def test_nothing_that_was_learned_is_judged(place, seed, leaks):
    """Random targets of one seed stay where they are as data grow; those of another seed may have been learned."""
    settings = continued(place / "run", place / "new", [f"split.seed={seed}"])
    prepared = running.prepare(settings)
    dataset, split = prepared.dataset, prepared.split
    _, users, before = load_split(place / "run")

    def pairs(matrix, users, items):
        rows, columns = matrix.nonzero()
        return set(zip(users.ids(rows), items.ids(columns), strict=True))

    fitted, chosen = (
        pairs(part, users, items_of(place / "run")) for part in (before.train, before.validation)
    )
    test, validation = (pairs(part, dataset.users, dataset.items) for part in (split.test, split.validation))
    assert test
    assert not test & (fitted | chosen)
    assert not validation & fitted
    whole = split_dataset(load_dataset(settings.data), settings.split)
    assert (split.train.nnz > whole.train.nnz) == leaks
    assert split.train.nnz + split.validation.nnz + split.test.nnz == dataset.n_interactions
    told = [note for note in split.notes if note.kind == "learned_targets"]
    assert [note.count for note in told] == ([split.train.nnz - whole.train.nnz] if leaks else [])


def test_it_begins_where_the_run_ended_and_ends_with_the_same_bits_when_resumed(place, went_on, monkeypatch):
    out, settings = place / "killed", continued(place / "run", place / "new", ["training.epochs=3"])

    class Killed(BaseException):
        pass

    real, seen = running.evaluate, []

    def killing(model, split, *args, **options):
        seen.append(model)
        if len(seen) == 3:
            raise Killed
        return real(model, split, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(running, "evaluate", killing)
        with pytest.raises(Killed):
            train(settings, out)
    running.resume(out)
    train(settings, place / "whole")
    killed, whole = (load_model(run)[0].state_dict() for run in (out, place / "whole"))
    assert all(torch.equal(weight, whole[name]) for name, weight in killed.items())


def test_a_run_that_went_on_can_go_on(place, went_on):
    twice = continued(went_on, place / "new", ["split.seed=1"])
    assert twice.start.run == went_on
    start = Start.load(twice)
    assert torch.equal(start.scalers["text"].mean, load_model(place / "run")[0].scalers["text"].mean)


def test_models_that_learn_users_go_on_too(place):
    only = {"features": {}, "model": {"name": "gmf", "dim": 4}}
    train(config(place / "old", **only), place / "gmf")
    train(continued(place / "gmf", place / "new"), place / "gmf-on")
    model, _ = load_model(place / "gmf-on")
    assert (model.n_users, model.n_items) == (USERS_NEW, N_NEW)


def test_a_toml_file_names_the_new_data(place, tmp_path):
    file = tmp_path / "new.toml"
    file.write_text(
        f'[data]\nroot = "{place / "new"}"\ninteractions = "pairs.csv"\n[split]\nstrategy = "time"\n'
    )
    settings = continued(place / "run", file)
    assert settings.data.items is None
    assert settings.split.strategy == "time"
    file.write_text('[data]\ninteractions = "pairs.csv"\n[model]\nname = "fism"\n')
    with pytest.raises(ConfigError, match=r"has the section \[model\], the run goes on with its own"):
        continued(place / "run", file)
    with pytest.raises(ConfigError, match="neither a folder nor a file"):
        continued(place / "run", tmp_path / "nothing")


@pytest.mark.parametrize("option", ["model.dim=8", "features.image.encoder=colour-hog", "start.run=x"])
def test_another_model_or_other_content_is_refused(place, option):
    with pytest.raises(ConfigError, match="keeps the model and the content it has learned from"):
        continued(place / "run", place / "new", [option])


def test_another_modality_set_in_an_edited_config_is_refused(place):
    settings = continued(place / "run", place / "new")
    other = settings.having({"features.image.encoder": "colour-hog"})
    with pytest.raises(ConfigError, match=r"with another model or other content: .*features.image.encoder"):
        Start.load(other)


def test_items_that_vanished_are_refused_by_name(place, tmp_path):
    shutil.copytree(place / "new", tmp_path / "less")
    for name, column in (("items.csv", "id"), ("pairs.csv", "item")):
        table = pl.read_csv(tmp_path / "less" / name)
        table.filter(~pl.col(column).is_in(["i03", "i04"])).write_csv(tmp_path / "less" / name)
    with pytest.raises(
        DataError, match=r"2 items of 24 that .*run knows are not among the 28 .*'i03', 'i04'"
    ):
        train(continued(place / "run", tmp_path / "less"), tmp_path / "out")


def test_a_model_without_gradients_is_to_be_fitted_again(place):
    train(config(place / "old", features={}, model={"name": "ease"}), place / "ease")
    with pytest.raises(
        ModelError, match=r"ease is not trained by gradients.*fit it again with `irisrec train"
    ):
        continued(place / "ease", place / "new")


def test_a_run_that_changed_or_is_gone_is_refused(place, tmp_path):
    run = Path(shutil.copytree(place / "run", tmp_path / "run"))
    settings = continued(run, place / "new")
    train(config(place / "old", training={"epochs": 1}), tmp_path / "other")
    for name in ("model.safetensors", "model.json", "SHA256SUMS"):
        shutil.copy(tmp_path / "other" / name, run / name)
    with pytest.raises(RunError, match="is not what it was when this run went on from it"):
        Start.load(settings)
    shutil.rmtree(run)
    with pytest.raises(RunError, match=r"goes on from .*, which is not there"):
        Start.load(settings)


def test_data_without_anything_new_leave_nothing_to_judge_by(place, tmp_path):
    _, users, split = load_split(place / "run")
    known = split.train.nonzero()
    items = items_of(place / "run")
    pairs = pl.DataFrame({"user": users.ids(known[0]), "item": items.ids(known[1])}).with_columns(
        time=pl.lit(1)
    )
    shutil.copytree(place / "old", tmp_path / "same")
    pairs.write_csv(tmp_path / "same" / "pairs.csv")
    with pytest.raises(
        DataError, match=r"nothing is left to judge by: .* give newer data, or hold out what is new"
    ):
        train(continued(place / "run", tmp_path / "same"), tmp_path / "out")


def test_retraining_without_a_modality_is_not_asked_of_a_run_that_went_on(went_on):
    with pytest.raises(RunError, match="whose weights have seen the content already"):
        knock_out(went_on, retrain=True)


def test_the_command_says_what_is_new(place):
    out = place / "by-command"
    options = ["--continue", str(place / "run"), "--data", str(place / "new"), "--out", str(out)]
    result = CliRunner().invoke(app, ["train", *options, "--set", "split.seed=1"])
    assert result.exit_code == 0, result.output
    assert "6 items of 30 new since run" in result.stderr
    assert "10 users of 60 new since run" in result.stderr
    assert "moved to training, not judged" in result.stderr
    for wrong in (options[:2] + options[4:], options[2:], options[:4], [*options, "--resume", str(out)]):
        assert CliRunner().invoke(app, ["train", *wrong]).exit_code == 2


def new_items(place: Path, tmp_path: Path) -> Path:
    table = pl.read_csv(place / "new" / "items.csv").filter(
        ~pl.col("id").is_in(items_of(place / "run").series.to_list())
    )
    table.write_csv(tmp_path / "new.csv")
    return tmp_path / "new.csv"


def test_a_run_goes_on_from_one_to_which_items_were_added_and_learns_these_from_the_beginning(
    place, tmp_path, monkeypatch
):
    grown = add_items(place / "run", new_items(place, tmp_path), tmp_path / "grown")
    old = Recommender.load(place / "run")
    histories = Histories.of([[0, 3, 5], [7]])
    scores = grown.model.score(histories)[:, : len(old.items)]
    torch.testing.assert_close(scores, old.model.score(histories))
    begun = {}

    def look(model, train, config, validate, checkpoint, after_epoch, begin, new):
        def and_look(model):
            fresh = {name: w.detach().clone() for name, w in model.named_parameters()}
            begin(model)
            begun.update(
                fresh=fresh, after={name: w.detach().clone() for name, w in model.named_parameters()}
            )

        return fit(model, train, config, validate, begin=and_look)

    monkeypatch.setattr(running, "fit", look)
    train(continued(tmp_path / "grown", place / "new"), tmp_path / "today")
    today = Recommender.load(tmp_path / "today")
    added = torch.from_numpy(today.items.index(grown.items.series.tail(N_NEW - N_OLD)))
    for name in ("history_factors", "candidate_factors", "bias"):
        assert torch.equal(begun["after"][name][added], begun["fresh"][name][added])
    assert torch.equal(begun["after"]["content.history.text"], old.model.content.history["text"])
    assert today.model.trained[added].any()
    assert today.recommend(history=today.items.ids(added[:2].tolist()), k=3)


def test_items_are_added_to_a_run_that_went_on(place, went_on, tmp_path):
    before = Recommender.load(went_on)
    (tmp_path / "more.csv").write_text("id,name,about\nj0,Kettle,green tea leaf garden pot\n")
    grown = add_items(went_on, tmp_path / "more.csv", tmp_path / "grown")
    again = Recommender.load(tmp_path / "grown")
    history = ["i00", "i02", "i28"]
    assert [r.item_id for r in grown.recommend(history=history, k=9)] == [
        r.item_id for r in again.recommend(history=history, k=9)
    ]
    histories = Histories.of([[0, 3, 5], [7, 29]])
    n = len(before.items)
    torch.testing.assert_close(again.model.score(histories)[:, :n], before.model.score(histories))
    values, _ = load_features(tmp_path / "grown")
    scaled = again.model.scalers["text"](values["text"])  # by what the first run was scaled by
    torch.testing.assert_close(scaled[-1], again.model.features["text"][-1])
    first, _ = load_model(place / "run")
    assert torch.equal(again.model.scalers["text"].mean, first.scalers["text"].mean)
