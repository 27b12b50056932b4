import gzip
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from irisrec.cli.main import main
from irisrec.data.load import load_dataset
from irisrec.data.sources.amazon_features import RECORD
from irisrec.experiments.config import ExperimentConfig
from irisrec.features.registry import find_encoder
from tests.data.collect.server import picture
from tests.data.collect.test_download import archive

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def irisrec(monkeypatch, capsys):
    def irisrec(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["irisrec", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return irisrec


@pytest.fixture
def amazon(server, tmp_path):
    reviews = [{"reviewerID": f"U{u}", "asin": f"B00000000{u % 2}", "unixReviewTime": u} for u in range(4)]
    items = [{"asin": f"B00000000{i}", "title": f"T{i}", "imUrl": f"{server.url}/{i}.jpg"} for i in range(3)]
    for name, rows in (("reviews_Baby_5", map(json.dumps, reviews)), ("meta_Baby", map(repr, items))):
        data = gzip.compress("\n".join(rows).encode())
        server.answers.files[f"/categoryFiles/{name}.json.gz"] = data
    server.answers.files["/0.jpg"] = picture()
    (tmp_path / "c.toml").write_text('[data]\nsource = "amazon-2014"\nroot = "nowhere"\n')
    return tmp_path


def test_download_prints_the_files_and_says_the_terms(irisrec, server, tmp_path):
    server.answers.files["/ml-latest-small.zip"] = archive(movies=b"x")
    code, out, err = irisrec("download", "movielens-latest-small", "--to", tmp_path, "--base-url", server.url)
    assert (code, out) == (0, f"{tmp_path / 'movies.dat'}\n")
    assert "Harper and Konstan" in err


def test_a_wrong_name_is_one_line_and_exit_1(irisrec, tmp_path):
    code, out, err = irisrec("download", "movielens", "--to", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("irisrec: unknown data set 'movielens'")
    assert err.count("\n") == 1


def test_amazon_from_download_to_a_data_set_with_pictures(irisrec, server, amazon):
    assert irisrec("download", "amazon-2014:Baby", "--to", amazon, "--base-url", server.url)[0] == 0
    described = ("--config", amazon / "c.toml", "--set", f"data.root={amazon}")
    code, out, err = irisrec("collect", "pictures", *described, "--json")
    assert code == 0
    assert json.loads(out)["status"] == {"fetched": 1, "failed": 1}
    assert "not found" in err
    dataset = ExperimentConfig.load(amazon / "c.toml", [f"data.root={amazon}"]).data
    assert [path is not None for path in load_dataset(dataset).catalog.pictures] == [True, False]


def test_image_features_become_ready_vectors_of_the_items_in_use(irisrec, server, amazon):
    irisrec("download", "amazon-2014:Baby", "--to", amazon, "--base-url", server.url)
    block = np.zeros(3, RECORD)
    block["id"] = [b"B000000001", b"B000000002", b"B000000000"]
    (amazon / "image_features_Baby.b").write_bytes(block.tobytes())
    described = ("--config", amazon / "c.toml", "--set", f"data.root={amazon}")
    code, out, _ = irisrec("collect", "image-features", *described)
    assert (code, out.strip()) == (0, str(amazon / "image_features.npy"))
    assert (amazon / "image_features.ids.txt").read_text().split() == ["B000000001", "B000000000"]


def test_pictures_of_any_table(irisrec, server, tmp_path):
    server.answers.files["/a.jpg"] = picture()
    table = pl.DataFrame({"sku": ["x", "y"], "image": [f"{server.url}/a.jpg", None]})
    table.write_parquet(tmp_path / "items.parquet")
    arguments = ("--data", tmp_path / "items.parquet", "--id-column", "sku", "--url-column")
    code, out, _ = irisrec("collect", "pictures", *arguments, "image")
    assert code == 0
    assert out.startswith("1 item of 2 with a picture (50.0%)")
    assert (tmp_path / "pictures" / "x.jpg").is_file()
    code, _, err = irisrec("collect", "pictures", *arguments, "imag")
    assert code == 1
    assert "has no column 'imag'" in err


def test_omdb_takes_the_key_from_the_environment_and_never_shows_it(irisrec, server, tmp_path, monkeypatch):
    film = {"Response": "True", "Title": "Heat", "Year": "1995", "Plot": "A plot.", "Poster": "N/A"}
    server.answers.handlers["/"] = lambda handler, query: handler.send(200, json.dumps(film).encode())
    (tmp_path / "movies.dat").write_text("1::Heat (1995)::Crime\n")
    code, _, err = irisrec("collect", "omdb", "--data", tmp_path)
    assert code == 1
    assert "OMDB_API_KEY" in err
    monkeypatch.setenv("OMDB_API_KEY", "k3y-of-mine")
    monkeypatch.setenv("IRISREC_OMDB_URL", server.url + "/")
    code, out, err = irisrec("collect", "omdb", "--data", tmp_path, "--json")
    assert (code, json.loads(out)["found"]) == (0, 1)
    assert server.answers.asked[0][2]["apikey"] == ["k3y-of-mine"]
    assert "k3y" not in out + err + irisrec("collect", "omdb", "--help")[1]


def test_pictures_need_one_source(irisrec):
    assert irisrec("collect", "pictures")[0] == 2


@pytest.mark.parametrize("name", ["paper-movielens.toml", "paper-amazon-clothing.toml"])
def test_the_configs_of_the_paper_are_valid_and_have_its_settings(name):
    config = ExperimentConfig.load(CONFIGS / name)
    assert (config.model.name, config.model.dim, config.model.hidden) == ("multimodal-iris", 64, 768)
    assert (config.model.alpha, config.model.beta) == (0.0, 0.8)
    assert (config.training.learning_rate, config.training.n_negatives) == (0.001, 4)
    assert set(config.features) == {"image", "text"}
    for options in config.features.values():
        settings = {name: value for name, value in options.items() if name != "encoder"}
        assert find_encoder(options["encoder"]).Settings.read(settings)


def test_movielens_with_collected_plots_loads_by_the_config_of_the_paper(
    irisrec, server, tmp_path, monkeypatch
):
    poster = f"{server.url}/p.png"
    film = {"Response": "True", "Title": "Heat", "Year": "1995", "Plot": "A plot.", "Poster": poster}

    def answer(handler, query):
        found = film if query["t"] == ["Heat"] else {"Response": "False", "Error": "Movie not found!"}
        handler.send(200, json.dumps(found).encode())

    server.answers.handlers["/"] = answer
    server.answers.files["/p.png"] = picture(form="PNG")
    (tmp_path / "movies.dat").write_text("1::Heat (1995)::Crime\n2::Gone (1980)::Drama\n")
    (tmp_path / "ratings.dat").write_text("1::1::5::10\n1::2::5::11\n2::1::4::12\n")
    monkeypatch.setenv("OMDB_API_KEY", "k")
    arguments = ("--data", tmp_path, "--base-url", server.url + "/", "--per-second", "1000")
    assert irisrec("collect", "omdb", *arguments)[0] == 0
    config = ExperimentConfig.load(CONFIGS / "paper-movielens.toml", [f"data.root={tmp_path}"])
    dataset = load_dataset(config.data)
    assert dataset.items.series.to_list() == [1]
    assert dataset.catalog.titles == ["Heat (1995)"]
    assert dataset.catalog.texts == ["A plot."]
    assert dataset.catalog.pictures == [str(tmp_path / "posters" / "1.png")]
