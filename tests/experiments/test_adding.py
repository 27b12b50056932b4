"""New items for a trained run, from Python and from the command line: known by content, usable at once."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from irisrec import ExperimentConfig, NewItem, Recommender, evaluate_run, train
from irisrec.cli.main import app
from irisrec.errors import DataError, FeatureError, IrisrecError, ModelError, RunError
from irisrec.experiments.adding import add_items
from irisrec.features.pictures import read_bytes
from irisrec.recommendation.rules import Rules
from irisrec.sums import SUMS, check_sealed

CONFIG = """
[data]
interactions = "visits.csv"
items = "works.csv"
pictures = "photos/{item_id}.png"
columns = { user = "visitor", item = "work", item_id = "work", text = "label" }
[features.image]
encoder = "colour-hog"
[features.text]
encoder = "doc2vec"
epochs = 2
dim = 8
[features.facts]
encoder = "columns"
columns = ["style", "year"]
[features.audio]
encoder = "vectors"
path = "audio.npz"
[model]
name = "multimodal-iris"
dim = 12
hidden = 8
content_factors = true
ridge = 10
[training]
epochs = 8
batch_users = 30
learning_rate = 0.02
[evaluation]
n_sampled = 0
"""
STYLES = ("red", "green", "blue")
N_USERS, N_WORKS = 60, 24


def paint(path, style: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 90, size=(24, 24, 3))
    pixels[..., STYLES.index(style)] += 150
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def audio(style: str, seed: int) -> list[float]:
    noise = 0.1 * np.random.default_rng(seed).normal(size=3)
    return (np.eye(3)[STYLES.index(style)] + noise).tolist()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    rng = np.random.default_rng(0)
    style = np.array(STYLES)[np.arange(N_WORKS) % 3]
    taste = rng.choice(STYLES, N_USERS)
    users, works = np.nonzero(rng.random((N_USERS, N_WORKS)) < np.where(style == taste[:, None], 0.7, 0.05))
    pl.DataFrame({"visitor": users, "work": [f"w{i:02}" for i in works]}).write_csv(folder / "visits.csv")
    pl.DataFrame(
        {
            "work": [f"w{i:02}" for i in range(N_WORKS)],
            "title": [f"Study {i} in {s}" for i, s in enumerate(style)],
            "label": [f"a {s} study of {s} things, number {i}" for i, s in enumerate(style)],
            "style": style,
            "year": 1900 + np.arange(N_WORKS),
        }
    ).write_csv(folder / "works.csv")
    for i, s in enumerate(style):
        paint(folder / "photos" / f"w{i:02}.png", s, i)
    vectors = [audio(s, i) for i, s in enumerate(style)]
    np.savez(folder / "audio.npz", ids=[f"w{i:02}" for i in range(N_WORKS)], values=vectors)
    (folder / "gallery.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(folder / "cache"))
        train(ExperimentConfig.load(folder / "gallery.toml", [f"data.root={folder}"]), folder / "run")
    return folder


@pytest.fixture(scope="module")
def run(gallery):
    return gallery / "run"


@pytest.fixture(scope="module")
def old(run):
    recommender = Recommender.load(run)
    recommender.recommend(history=["w00"])  # prepares the pairs
    return recommender


def new_items(folder) -> list[NewItem]:
    paint(folder / "new" / "red.png", "red", 100)
    paint(folder / "new" / "blue.png", "blue", 101)
    red = {"image": folder / "new" / "red.png", "text": "a red study of red things", "audio": audio("red", 7)}
    return [
        NewItem("n0", "New in red", red, {"style": "red", "year": 1999}),
        NewItem("n1", content={"image": read_bytes(str(folder / "new" / "blue.png"))}),
        NewItem("n2", "Heard only", {"audio": audio("green", 9)}),
        NewItem("n3", "Facts only", columns={"style": "green"}),
    ]


def test_scores_of_old_items_stay_and_new_ones_are_recommended_by_what_they_are(old, tmp_path):
    grown = old.add_items(new_items(tmp_path))
    assert len(grown.items) == N_WORKS + 4
    assert grown.items.series[-4:].to_list() == ["n0", "n1", "n2", "n3"]
    assert old.items.series.to_list() == grown.items.series[:-4].to_list()
    for user in old.users.ids(range(5)):
        before = {r.item_id: r.score for r in old.recommend(user, k=99)}
        after = {r.item_id: r.score for r in grown.recommend(user, k=99)}
        assert {id: after[id] for id in before} == pytest.approx(before, abs=1e-5)
        assert after.keys() - before.keys() == {"n0", "n1", "n2", "n3"}
    reds = ["w00", "w03", "w06", "w09", "w12"]
    ranked = [r.item_id for r in grown.recommend(history=reds, k=99)]
    assert ranked.index("n0") < min(ranked.index(other) for other in ("n1", "n2", "n3"))
    assert ranked.index("n0") < len(ranked) / 3
    assert grown.recommend(history=reds, k=3, rules=Rules(allow=("n0", "w01")))[0].title == "New in red"


def test_reasons_of_new_items_and_by_new_items_sum_to_the_score(old, tmp_path):
    grown = old.add_items(new_items(tmp_path))
    for history in (["n0"], ["n0", "w00", "n3"], ["w01", "w02"]):
        rows = grown.items.index(history)
        for found in grown.recommend(history=history, k=99, n_reasons=9):
            total = sum(reason.contribution for reason in found.because)
            explained = grown.explain(found.item_id, history=history)
            assert total + explained.bias == pytest.approx(found.score, abs=1e-4)
            assert {reason.item_id for reason in found.because} <= set(history)
        assert len(rows) == len(history)
    alike = [other.item_id for other in grown.similar_items("n1", k=7, by="image")]
    assert {int(id[1:]) % 3 for id in alike if id.startswith("w")} == {2}


def test_items_one_by_one_are_items_at_once(old, tmp_path):
    items = new_items(tmp_path)
    together = old.add_items(items)
    apart = old
    for item in items:
        apart = apart.add_items([item])
    history = ["w00", "n0", "n2"]
    ours, theirs = together.recommend(history=history, k=99), apart.recommend(history=history, k=99)
    assert [r.item_id for r in ours] == [r.item_id for r in theirs]
    assert [r.score for r in ours] == pytest.approx([r.score for r in theirs], abs=1e-5)


def test_a_run_with_added_items_is_whole_and_recommends_as_in_memory(run, old, tmp_path):
    items = new_items(tmp_path)
    table = pl.DataFrame(
        {
            "work": [item.item_id for item in items],
            "title": [item.title for item in items],
            "label": [item.content.get("text") for item in items],
            "style": [item.columns.get("style") for item in items],
            "year": [item.columns.get("year") for item in items],
            "picture": ["new/red.png", "new/blue.png", None, None],
            "audio": [item.content.get("audio") for item in items],
            "shelf": list("abcd"),
        }
    )
    table.write_parquet(tmp_path / "new.parquet")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    out = tmp_path / "grown"
    result = CliRunner().invoke(
        app, ["add-items", str(run), str(tmp_path / "new.parquet"), "--out", str(out), "--json"]
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["items"], told["added_after_training"]) == (N_WORKS + 4, ["n0", "n1", "n2", "n3"])
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    check_sealed(out / "encoders" / "image")
    assert not list(tmp_path.glob(".*partial"))
    loaded, in_memory = Recommender.load(out), old.add_items(items)
    assert loaded.catalog.frame.schema == old.catalog.frame.schema
    assert loaded.catalog.frame["style"].to_list()[-4:] == ["red", None, None, "green"]
    for history in (["w00", "n1"], ["n2"], []):
        ours, theirs = loaded.recommend(history=history, k=99), in_memory.recommend(history=history, k=99)
        assert [r.score for r in ours] == pytest.approx([r.score for r in theirs], abs=1e-5)
        assert [r.title for r in ours] == [r.title for r in theirs]
    more = loaded.add_items([NewItem("n9", content={"text": "a red study"})])
    assert more.model.n_added == 5
    assert {r.item_id for r in loaded.recommend(history=["w00"], k=99)} >= {"n0", "n3"}
    assert evaluate_run(out).n_users == evaluate_run(run).n_users
    again = tmp_path / "again"
    (tmp_path / "one.csv").write_text("work,label\nx1,a green study of green things\n")
    add_items(out, tmp_path / "one.csv", again)
    assert Recommender.load(again).items.series.to_list()[-2:] == ["n3", "x1"]
    assert [a["items"] for a in json.loads((again / "run.json").read_text())["added_items"]] == [4, 1]


def test_ready_vectors_from_a_file_and_pictures_by_a_template(run, tmp_path):
    (tmp_path / "new.csv").write_text("work,title\nn5,Five\nn6,Six\n")
    paint(tmp_path / "shots" / "n5.png", "blue", 5)
    np.savez(tmp_path / "sounds.npz", ids=["n6"], values=[audio("red", 6)])
    grown = add_items(
        run,
        tmp_path / "new.csv",
        tmp_path / "out",
        pictures="shots/{item_id}.png",
        vectors={"audio": tmp_path / "sounds.npz"},
    )
    masks = {name: mask[-2:].tolist() for name, mask in grown.model.content_masks.items()}
    assert masks == {
        "image": [True, False], "text": [False, False], "facts": [False, False], "audio": [False, True]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("item", "kind", "sentence"),
    [
        (NewItem("w03", content={"text": "a"}), DataError, "1 new item is in the catalog already: 'w03'; give new ids"),
        (NewItem(7, content={"text": "a"}), DataError, "ids of items here are strings, got 7"),
        (NewItem("n"), FeatureError, "1 new item has no content ('n'): an item that nobody had is known by its audio"),
        (NewItem("n", content={"text": "  "}), FeatureError, "text of 1 new item cannot be encoded: 'n': the text is"),
        (NewItem("n", content={"text": 5}), FeatureError, "text of item 'n' must be a vector of 8 numbers, got shape"),
        (NewItem("n", content={"text": b"a"}), FeatureError, "text of item 'n' must be a text, got b'a'"),
        (NewItem("n", content={"image": b"GIF"}), FeatureError, "'n': the file is not a picture of a known format"),
        (NewItem("n", content={"image": b""}), FeatureError, "'n': the file is empty (0 bytes)"),
        (NewItem("n", content={"image": "no/such.png"}), FeatureError, "'n': the file is not there"),
        (NewItem("n", content={"audio": [1.0, 2.0]}), FeatureError,
         "audio of item 'n' must be a vector of 3 numbers, got shape (2,)"),
        (NewItem("n", content={"audio": [1, 2, np.nan]}), FeatureError, "audio of item 'n' must be finite numbers"),
        (NewItem("n", content={"audio": "song.mp3"}), FeatureError, "audio of item 'n' needs a vector"),
        (NewItem("n", content={"audio": {"a": 1}}), FeatureError, "audio of item 'n' must be numbers, a text, or a"),
        (NewItem("n", content={"facts": "red"}), FeatureError, "facts of item 'n' is made of catalog columns, got"),
        (NewItem("n", content={"txt": "a"}), FeatureError,
         "item 'n' has content named 'txt'; did you mean 'text'?; the model reads audio, facts, image and text"),
        (NewItem("n", columns={"stile": "red"}), DataError, "has a value for 'stile'; did you mean 'style'?"),
        (NewItem("n", columns={"year": "old"}), DataError, "values of column 'year' of the new items must be like the"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_added_is_one_sentence_and_adds_nothing(old, item, kind, sentence):
    with pytest.raises(kind) as error:
        old.add_items([NewItem("fine", content={"text": "a red study"}), item])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert len(old.items) == N_WORKS


def test_no_item_and_an_item_twice_are_refused(old):
    with pytest.raises(DataError, match="there is no item to add"):
        old.add_items([])
    twice = [NewItem("n", content={"text": "a"})] * 2
    with pytest.raises(DataError, match="new item ids must be distinct, 1 id stand more than once: 'n'"):
        old.add_items(twice)


def test_a_command_that_fails_leaves_nothing_behind(run, tmp_path):
    table = tmp_path / "new.csv"
    for text, sentence in (
        ("work,label\nw01,a red study\n", "1 new item is in the catalog already: 'w01'"),
        ("work,label\nn1,a\nn1,b\n", "each item may stand once in the catalog"),
        ("work,title\nn1,One\n", "1 new item has no content"),
        ("id,label\nn1,a\n", "has no column 'work'"),
        ("work,label,year\nn1,a,long ago\n", "column 'year' of the new items must be like the catalog's"),
    ):
        table.write_text(text)
        with pytest.raises(IrisrecError) as error:
            add_items(run, table, tmp_path / "out")
        assert sentence in str(error.value)
        assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
    table.write_text("work,label\nn1,a red study\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(RunError, match="is not empty"):
        add_items(run, table, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_run_whose_files_were_changed_is_refused(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (tmp_path / "new.csv").write_text("work,label\nn1,a red study\n")
    users = copy / "users.parquet"
    users.write_bytes(users.read_bytes()[:-1])
    with pytest.raises(RunError, match=r"users\.parquet is not what was written"):
        add_items(copy, tmp_path / "new.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (run / "encoders" / "image" / SUMS).exists()


def test_a_model_that_learned_by_ids_says_how_to_train_one_that_did_not(gallery, tmp_path, monkeypatch):
    monkeypatch.setenv("IRISREC_CACHE", str(gallery / "cache"))
    changes = [f"data.root={gallery}", "model.name=ease", "training.epochs=1"]
    train(ExperimentConfig.load(gallery / "gallery.toml", changes), tmp_path / "ease")
    with pytest.raises(ModelError, match=r"EASE learns items by their ids .* model\.ridge = 100"):
        Recommender.load(tmp_path / "ease").add_items([NewItem("n", content={"text": "a"})])
