import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from irisrec.errors import RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.report import write_report
from irisrec.experiments.reporting.charts import line_chart
from irisrec.experiments.reporting.choice import choose_users
from irisrec.experiments.reporting.examples import Item, examples
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.thumbnails import Thumbnails
from irisrec.experiments.run import train
from irisrec.files import read_json, write_json, write_text

N_USERS, N_ITEMS = 60, 30
HOSTILE = """<script>alert("1")</script> & 'x' {{ 7*7 }}"""
VOID = {"meta", "img", "br", "path", "use", "rect", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements of a page with their attributes, its text, and tags that were not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def write_world(root: Path) -> None:
    """Two groups of users, each with its half of the items; odd titles, some pictures missing or damaged."""
    rng = np.random.default_rng(0)
    pairs = [
        (f"u{user:02d}", f"i{item:02d}")
        for user in range(N_USERS)
        for item in rng.choice(N_ITEMS // 2, 9, replace=False) + (user % 2) * (N_ITEMS // 2)
    ]
    root.mkdir()
    pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row").write_csv(root / "pairs.csv")
    titles = [HOSTILE if item % 2 else f"Ünïcode кот {item}" for item in range(N_ITEMS)]
    texts = [
        "green tea leaf garden" if item < N_ITEMS // 2 else "steel bolt wrench" for item in range(N_ITEMS)
    ]
    pictures = [f"{item}.png" if item % 3 else None for item in range(N_ITEMS)]
    for item, name in enumerate(pictures):
        if name:
            Image.new("RGB", (300, 200), (item * 8, 90, 160)).save(root / name)
    (root / "1.png").write_bytes(b"no picture")
    catalog = {"item_id": [f"i{item:02d}" for item in range(N_ITEMS)], "title": titles, "text": texts}
    pl.DataFrame({**catalog, "file": pictures}).write_csv(root / "items.csv")


def run_in(root: Path, out: Path, **sections: Any) -> RunFolder:
    config = {
        "data": {"root": root, "interactions": "pairs.csv", "items": "items.csv", "pictures": "file"},
        "features": {"image": {"encoder": "colour-hog"}},
        "model": {"name": "image-iris", "dim": 8, "hidden": 8},
        "training": {"epochs": 2, "learning_rate": 0.05},
    }
    train(ExperimentConfig.read(config | sections), out)
    return RunFolder(out)


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


def test_a_run_without_baselines_has_a_report_too(iris: RunFolder) -> None:
    evaluation = read_json(iris.evaluation)
    write_json(iris.evaluation, {key: value for key, value in evaluation.items() if key != "baselines"})
    try:
        assert "opularity" not in Page(write_report(iris).read_text()).text
    finally:
        write_json(iris.evaluation, evaluation)
        write_report(iris)


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


def test_popularity_has_no_reasons_no_probability_and_no_curves(popularity: RunFolder) -> None:
    page = Page(popularity.report.read_text())
    assert not page.all("svg")
    assert "probability" not in page.text
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
