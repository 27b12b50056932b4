import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import RunError
from irisrec.evaluation.significance import MARKED, compare
from irisrec.evaluation.slices import slices
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.knockout import knock_out
from irisrec.experiments.report import write_report
from irisrec.experiments.reporting.charts import line_chart
from irisrec.experiments.reporting.choice import choose_users
from irisrec.experiments.reporting.examples import Item, examples
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.thumbnails import Thumbnails
from irisrec.files import read_json, write_json, write_text
from tests.experiments.pages import HOSTILE, Page, run_in, write_world


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("report")
    write_world(place / "world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(place / "cache"))
        yield place


@pytest.fixture(scope="module")
def iris(place: Path) -> RunFolder:
    return run_in(place / "world", place / "iris")


@pytest.fixture(scope="module")
def page(iris: RunFolder) -> str:
    return iris.report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def popularity(place: Path) -> RunFolder:
    return run_in(place / "world", place / "popularity", model={"name": "popularity"})


def test_training_ends_with_a_report_of_well_nested_html(page: str) -> None:
    assert Page(page).wrong == []


def test_the_page_asks_nothing_of_any_other_file_or_machine(page: str) -> None:
    parsed = Page(page)
    assert not parsed.all("script")
    assert not parsed.all("link")
    assert "://" not in page
    assert "url(" not in re.sub(r"url\(#[^)]+\)", "", page)
    sources = [image["src"] or "" for image in parsed.all("img")]
    assert sources
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert all((a["href"] or "").startswith("#") for a in parsed.all("a"))


def test_titles_are_shown_as_they_are_and_never_as_markup(page: str) -> None:
    assert "<script" not in page
    assert HOSTILE in unescape(page)
    assert "Ünïcode кот" in page


def test_every_picture_has_words(page: str) -> None:
    parsed = Page(page)
    assert all(image.get("alt") for image in parsed.all("img"))
    assert all(svg.get("aria-label") for svg in parsed.all("svg"))


def test_no_id_stands_twice(page: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(page).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_an_item_without_a_readable_picture_shows_its_initial(iris: RunFolder, page: str) -> None:
    assert "no picture of" in page
    assert Item(1, '"éa"', None).initial == "É"
    assert Item(1, "…", None).initial == "?"


def test_pictures_are_small_and_a_lost_one_is_counted(tmp_path: Path) -> None:
    Image.effect_noise((900, 600), 80).convert("RGB").save(tmp_path / "large.png")
    thumbnails = Thumbnails(tmp_path)
    uri = thumbnails.of("large.png")
    assert uri is not None
    assert len(uri) < 20_000
    assert thumbnails.of("gone.png") is None
    assert thumbnails.of(None) is None
    assert thumbnails.unreadable == {"gone.png": "the file is not there"}


def test_numbers_stand_beside_popularity_with_their_protocol(iris: RunFolder, page: str) -> None:
    evaluation = read_json(iris.evaluation)
    text = Page(page).text
    assert f"{evaluation['protocols']['full']['ndcg@10']:.4f}" in text
    assert f"popularity {evaluation['baselines']['popularity']['full']['ndcg@10']:.4f}" in text
    assert "among all 30 items except the user’s own training and validation items" in text
    assert "counts as ranked before it" in text


def test_a_run_without_baselines_has_a_report_too(iris: RunFolder, tmp_path: Path) -> None:
    folder = RunFolder(Path(shutil.copytree(iris.path, tmp_path / "copy")))
    evaluation = read_json(folder.evaluation)
    write_json(folder.evaluation, {k: v for k, v in evaluation.items() if not k.startswith("baseline")})
    folder.per_user_popularity.unlink()
    text = Page(write_report(folder).read_text()).text
    assert "Popularity" not in text
    assert "popularity 0." not in text


def test_every_part_of_a_run_is_told_and_leads_somewhere(page: str) -> None:
    parsed = Page(page)
    sections = [section["id"] for section in parsed.all("section")]
    assert sections == [
        *("numbers", "examples", "faithfulness", "slices", "knockout", "robustness", "calibration"),
        *("lists", "training", "data", "repeat"),
    ]
    assert [a["href"] for a in parsed.all("a")] == [f"#{name}" for name in sections]


def test_the_page_fits_a_phone(page: str) -> None:
    parsed = Page(page)
    viewport = next(meta for meta in parsed.all("meta") if meta.get("name") == "viewport")
    assert viewport["content"] == "width=device-width, initial-scale=1"
    assert page.count("<table") == page.count('<div class="scroll"') + page.count('<table class="reasons"')
    cells = [cell for cell in parsed.all("td") if cell.get("role") == "cell"]
    assert all(cell["data-column"] for cell in cells), "a cell that becomes a block says what it is"


def test_every_metric_has_its_interval_and_its_star(iris: RunFolder, page: str) -> None:
    evaluation = read_json(iris.evaluation)
    text = Page(page).text
    for protocol, metrics in evaluation["protocols"].items():
        for metric, value in metrics.items():
            low, high = evaluation["intervals"][protocol][metric]
            assert re.search(rf"{value:.4f}\s*{low:.4f}–{high:.4f}\s*[+−]0\.\d{{4}}", text), (
                protocol,
                metric,
            )
    run = FinishedRun.load(iris)
    table = compare(run.frames).filter(pl.col("p_holm") < MARKED)
    assert len(table)
    for difference in table["difference"]:
        assert f"{difference:+.4f}*".replace("-", "−") in text


def test_slices_tell_targets_with_a_picture_from_those_without(iris: RunFolder, page: str) -> None:
    table = slices(FinishedRun.load(iris).frames, ["ndcg@10"])
    text = " ".join(Page(page).text.split())
    for word in ("with", "without"):
        rows = table.filter((pl.col("slice") == f"target {word} image") & (pl.col("protocol") == "full"))
        own = rows.filter(pl.col("run") == "Image IRIS").row(0, named=True)
        assert f"target {word} image {own['n_users']} users {own['mean']:.4f}" in text
    assert "items in the history" in text or "training interactions of the target" in text


def test_calibration_and_lists_are_those_of_the_evaluation(iris: RunFolder, page: str) -> None:
    evaluation = read_json(iris.evaluation)
    text = Page(page).text
    assert f"Expected calibration error {evaluation['calibration']['ece']:.4f}" in text
    assert evaluation["calibration"]["weights"] in text
    for name, value in evaluation["lists"].items():
        assert f"{value:.3f}".replace("-", "−") in text, name


def test_a_knockout_is_asked_for_until_it_stands_in_the_report(
    iris: RunFolder, page: str, tmp_path: Path
) -> None:
    folder = RunFolder(Path(shutil.copytree(iris.path, tmp_path / "a copy")))
    assert f"irisrec knockout {iris.path} measures it" in Page(page).text
    assert f"irisrec knockout {iris.path} --retrain measures it" in Page(page).text
    result = knock_out(folder.path)
    text = Page(folder.report.read_text()).text
    assert result.sentences["image"] in text
    for row in result.table.filter(pl.col("metric") == "ndcg@10").iter_rows(named=True):
        assert f"{row['mean']:.4f}" in text
    assert f"irisrec knockout '{folder.path}' --retrain measures it" in text
    assert f"irisrec knockout '{folder.path}' measures it" not in text


def test_the_command_writes_the_report_again(iris: RunFolder, page: str) -> None:
    iris.report.unlink()
    result = CliRunner().invoke(app, ["report", str(iris.path)])
    assert (result.exit_code, result.stdout) == (0, f"{iris.report}\n")
    assert iris.report.read_text() == page


def test_users_are_chosen_by_outcome_and_the_shares_sum_to_one(iris: RunFolder) -> None:
    run = FinishedRun.load(iris)
    choice = choose_users(run)
    assert sum(share for _, share in choice.shares) == pytest.approx(1)
    assert [user.row for user in choice.users] == [user.row for user in choose_users(run).users]
    assert len({user.outcome for user in choice.users}) == len(choice.users) >= 2


def test_the_rank_told_is_the_place_in_the_list_shown(iris: RunFolder) -> None:
    section = examples(FinishedRun.load(iris))
    assert section is not None
    first = section.users[0]
    assert first.rank <= 3
    assert first.recommendations[first.rank - 1].held_out == "test"
    assert first.recommendations[first.rank - 1].item.id == first.held_out[0].id


def test_contributions_and_bias_shown_sum_to_the_score(iris: RunFolder) -> None:
    run = FinishedRun.load(iris)
    section = examples(run)
    assert section is not None
    biases = run.model.get_parameter("bias")
    ids = run.catalog.frame["item_id"].to_list()
    for user in section.users:
        for shown in user.recommendations:
            assert shown.bias == pytest.approx(float(biases[ids.index(shown.item.id)].detach()), abs=1e-5)
            assert shown.n_others + len(shown.bars) == int(user.history.split()[0])


def test_reasons_are_said_and_split_among_the_modalities(iris: RunFolder, page: str) -> None:
    section = examples(FinishedRun.load(iris))
    assert section is not None
    text = Page(page).text
    said = set()
    for shown in (shown for user in section.users for shown in user.recommendations):
        speaks = any(bar.contribution > 0 for bar in shown.bars)
        said.add(speaks)
        assert shown.sentence.startswith("Because you had ") == speaks
        assert shown.sentence in text
        for bar in shown.bars:
            (share,) = bar.modalities
            assert share.startswith("image ")
            assert share in text
    assert True in said


def test_the_kept_epoch_is_marked_in_the_curves(iris: RunFolder, page: str) -> None:
    kept = iris.read_info()["best_epoch"]
    assert page.count(f"kept: epoch {kept}") == 2


def test_a_chart_takes_the_colours_of_the_page() -> None:
    svg = line_chart([(1, 0.5), (2, 0.25)], 2, 'a "quoted" <word>', ".2f")
    assert svg.startswith("<svg ")
    assert "currentColor" in svg
    assert 'aria-label="a &quot;quoted&quot; &lt;word&gt;"' in svg
    assert "#010203" not in svg
    assert svg == line_chart([(1, 0.5), (2, 0.25)], 2, 'a "quoted" <word>', ".2f")


def test_what_could_not_be_encoded_is_told_with_its_reason(page: str) -> None:
    text = " ".join(Page(page).text.split())
    assert "not a picture of a known format" in text
    assert "Warning" in text
    assert "19 of 30" in text


def test_the_page_holds_config_seed_and_fingerprint(iris: RunFolder, page: str) -> None:
    text = Page(page).text
    assert iris.config.read_text() in text
    assert iris.read_info()["data_fingerprint"] in text
    assert f"irisrec train {iris.config} --out NEW" in text
    info = iris.read_info()
    assert info["training_seconds"] + info["evaluation_seconds"] <= info["seconds"]
    assert info["training_cpu_seconds"] > 0
    for name in ("torch", "polars", "jinja2"):
        assert f"{name} {info['versions'][name]}" in text
    assert (info["commit"]["id"] if info["commit"] else "not run from a checkout") in text


def test_popularity_has_no_reasons_no_probability_and_no_curves(popularity: RunFolder) -> None:
    page = Page(popularity.report.read_text())
    assert not page.all("svg")
    assert "probability 0" not in page.text
    assert "rank items and are no probabilities" in page.text
    assert "knockout" not in [section["id"] for section in page.all("section")]
    assert "has no reasons to give" in page.text
    assert "reads no content" in page.text


def test_fism_reports_reasons_without_any_feature(place: Path) -> None:
    folder = run_in(place / "world", place / "fism", model={"name": "fism", "dim": 8}, features={})
    text = Page(folder.report.read_text()).text
    assert "Because of" in text
    assert "reads no content" in text


def test_a_run_that_is_not_finished_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        write_report(RunFolder(tmp_path))


def test_a_damaged_folder_is_one_sentence(popularity: RunFolder) -> None:
    before = popularity.evaluation.read_text()
    write_text(popularity.evaluation, before[:20])
    with pytest.raises(RunError, match="is damaged"):
        write_report(popularity)
    popularity.evaluation.unlink()
    with pytest.raises(RunError, match="irisrec train --resume"):
        write_report(popularity)
    write_text(popularity.evaluation, before)
