"""The page of a comparison: what stands in it, and that it is whole in itself."""

import re

import polars as pl
import pytest

from irisrec.errors import RunError
from irisrec.experiments.compare import compare_runs
from irisrec.experiments.comparing.report import comparison_page
from irisrec.experiments.comparing.side_by_side import differing
from irisrec.experiments.knockout import knock_out
from irisrec.files import read_json
from tests.experiments.pages import Page, run_in, write_world

ODD = "<script>a &amp; b"  # folders may have any name


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    write_world(root / "world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(root / "cache"))
        run_in(root / "world", root / ODD, model={"name": "popularity"}, features={})
        run_in(root / "world", root / "fism", model={"name": "fism", "dim": 8}, features={})
        run_in(root / "world", root / "iris")
    knock_out(root / "iris")
    return root


@pytest.fixture(scope="module")
def comparison(runs):
    return compare_runs([runs / ODD, runs / "fism", runs / "iris"])


@pytest.fixture(scope="module")
def page(comparison):
    return comparison_page(comparison)


def test_every_part_of_a_comparison_is_told(page):
    parsed = Page(page)
    assert parsed.wrong == []
    assert [section["id"] for section in parsed.all("section")] == [
        *("numbers", "slices", "examples", "knockout", "calibration"),
        *("lists", "training", "costs", "differences", "repeat"),
    ]
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_asks_nothing_of_any_other_file_or_machine(page):
    parsed = Page(page)
    assert not parsed.all("script")
    assert not parsed.all("link")
    assert "://" not in page
    assert all(image["src"].startswith("data:image/webp;base64,") for image in parsed.all("img"))
    assert ODD in parsed.text, "a name is shown as it is"


def test_numbers_intervals_and_stars_are_those_of_the_comparison(comparison, page):
    text = Page(page).text
    for row in comparison.table.iter_rows(named=True):
        words = rf"{row['mean']:.4f}\s*{row['low']:.4f}–{row['high']:.4f}"
        if row["difference"] is not None:
            star = "*" if row["p_holm"] < 0.05 else ""
            words += r"\s*" + re.escape(f"{row['difference']:+.4f}{star}".replace("-", "−")) + r"\s"
        assert re.search(words, text), row
    assert comparison.table["p_holm"].min() < 0.05, "there is a star to look for"
    for mean in comparison.slices.filter(pl.col("protocol") == "full")["mean"]:
        assert f"{mean:.4f}" in text


def test_every_chart_says_in_words_what_it_shows(page):
    labels = [svg["aria-label"] for svg in Page(page).all("svg")]
    assert sum(label.startswith("NDCG@10, ") for label in labels) == 2
    assert sum("Reliability" in label or "calibration error" in label for label in labels) == 1
    losses = next(label for label in labels if label.startswith("Training loss"))
    assert "fism" in losses
    assert "iris" in losses
    assert "script" not in losses, "popularity has no epochs"


def test_every_run_recommends_to_the_same_users(comparison, page):
    text = " ".join(Page(page).text.split())
    ranks = {name: re.findall(re.escape(name) + r": rank [\d,]+ of (\d+)", text) for name in comparison.runs}
    assert len({tuple(n_candidates) for n_candidates in ranks.values()}) == 1
    assert len(ranks["iris"]) >= 2
    assert "Because of" in text


def test_what_differs_is_told_apart_from_what_is_the_same(page, runs):
    text = " ".join(Page(page).text.split())
    assert "model.name popularity fism image-iris" in text
    assert "training.epochs" not in text
    assert read_json(runs / "iris" / "run.json")["data_fingerprint"] in text
    assert next(iter(read_json(runs / "iris" / "knockout.json")["sentences"].values())) in text


def test_facts_are_parted_into_those_that_differ_and_those_that_do_not():
    rows, same = differing({"a": {"x": "1", "y": "2"}, "b": {"x": "1", "y": "3", "z": "4"}})
    assert same == {"x": "1"}
    assert [(row.name, [cell.value for cell in row.cells]) for row in rows] == [
        ("y", ["2", "3"]),
        ("z", ["–", "4"]),
    ]


def test_runs_of_models_without_epochs_and_modalities_leave_sections_out(runs):
    run_in(runs / "world", runs / "random", model={"name": "random"}, features={})
    page = Page(comparison_page(compare_runs([runs / ODD, runs / "random"])))
    sections = {section["id"] for section in page.all("section")}
    assert {"numbers", "costs", "differences"} <= sections
    assert not {"knockout", "calibration", "training"} & sections


def test_a_damaged_run_is_one_sentence(comparison, runs):
    evaluation = runs / "fism" / "evaluation.json"
    before = evaluation.read_text()
    evaluation.write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        comparison_page(comparison)
    evaluation.write_text(before)
