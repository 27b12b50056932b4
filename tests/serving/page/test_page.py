"""The page as HTML: its numbers are the library's, it carries nothing foreign, and whatever goes wrong is said."""

import html
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from irisrec.data.catalog import Catalog
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.loading import INTERACTIONS, ITEMS, USERS
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from irisrec.serving.config import ApiKey
from irisrec.serving.keys import hashed, new_key
from irisrec.serving.page.bars import Scale
from irisrec.serving.page.browsing import browse
from irisrec.serving.page.moves import gone, moved
from irisrec.serving.page.state import State
from irisrec.serving.served import Served
from irisrec.sums import seal
from tests.experiments.pages import Page
from tests.serving.small import write_run

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = """<script>alert("1")</script> & 'x' {{ 7*7 }}"""


@pytest.fixture(scope="module")
def recommender(run):
    return Recommender.load(run)


def look(client, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert not page.wrong, page.wrong
    return answer.text


def rows(text: str) -> list[str]:
    return [html.unescape(title) for title in re.findall(r"<h3><a [^>]*><bdi>(.*?)</bdi>", text)]


def titles(found) -> list[str]:
    return [item.title for item in found]


def moves(text: str) -> list[str]:
    places = re.findall(r'<p class="place">(.*?)</p>', text, re.DOTALL)
    kinds = {'class="move up" title': "up", 'class="move down"': "down", ">new<": "new", '="true">=<': "same"}
    return [next(kind for mark, kind in kinds.items() if mark in place) for place in places]


def test_without_anybody_it_asks_for_whom_and_shows_the_catalog(client):
    text = look(client, "/")
    assert "Whom are the recommendations for?" in text
    assert text.count('class="pick"') == 24
    assert 'href="/?user=u0"' in text


def test_the_list_of_a_user_is_the_library_s_to_the_digit(client, recommender):
    text = look(client, "/?user=u3&k=20")
    found = recommender.recommend("u3", k=20)
    assert rows(text) == titles(found)
    best = recommender.explain(found[0].item_id, "u3", k=20, n_reasons=40)
    opened = text[text.index('class="opened"') :]
    for value in (best.score, best.bias, best.score - best.bias, *best.modalities.values()):
        assert f"{value:+.3f}".replace("-", "−") in opened
    for reason in (*best.because, *best.against):
        assert f"{reason.relevance:.3f}" in opened
        assert f"{reason.contribution:+.3f}".replace("-", "−") in opened
        assert f">{reason.rank_without:,}" in opened


def test_why_opens_another_item_or_none(client, recommender):
    second = recommender.recommend("u3", k=2)[1]
    text = look(client, f"/?user=u3&why={second.item_id}")
    assert re.findall(r'aria-expanded="true"', text) == ['aria-expanded="true"']
    assert f"What each history item gives {second.title}" in text
    assert 'aria-expanded="true"' not in look(client, "/?user=u3&why=")


@pytest.mark.parametrize(
    ("query", "off", "dropped"),
    [("off=image", ["image"], 0), ("off=image&off=text", ["image", "text"], 0), ("", [], 2), ("off=text", ["text"], 1)],
)  # fmt: skip
def test_what_if_is_the_library_s_list_and_marks_what_moved(client, recommender, query, off, dropped):
    history = recommender.history_of("u3")
    aside, left = history[:dropped], history[dropped:]
    query += "".join(f"&drop={id}" for id in aside)
    text = look(client, f"/?user=u3&{query}")
    before = {item.item_id: at for at, item in enumerate(recommender.recommend("u3", k=100), start=1)}
    found = recommender.without(off).recommend(history=left, k=10, rules=Rules(deny=tuple(aside)))
    assert rows(text) == titles(found)
    wanted = [
        "new" if item.item_id not in before else {1: "up", 0: "same", -1: "down"}[np.sign(before[item.item_id] - at)]
        for at, item in enumerate(found, start=1)
    ]  # fmt: skip
    assert moves(text) == wanted
    n_moved = sum(kind != "same" for kind in wanted)
    assert f"<strong>{n_moved} of 10</strong> stand elsewhere" in text
    ids = {item.item_id for item in found}
    n_gone = sum(place <= 10 and id not in ids for id, place in before.items())
    assert text.count("<small>was ") == n_gone


def test_a_built_history_may_add_to_a_user_s(client, recommender):
    more = next(id for id in recommender.items.series if id not in recommender.history_of("u3"))
    text = look(client, f"/?user=u3&add={more}")
    assert rows(text) == titles(recommender.recommend(history=[*recommender.history_of("u3"), more], k=10))
    assert rows(look(client, "/?add=i07&add=i03")) == titles(
        recommender.recommend(history=["i03", "i07"], k=10)
    )


def test_events_sent_since_the_training_are_in_the_history(client, recommender):
    more = next(id for id in recommender.items.series if id not in recommender.history_of("u3"))
    client.post("/interactions", json={"events": [{"user_id": "u3", "item_id": more}]})
    assert f'data-item="{more}"' in look(client, "/?user=u3")


def test_with_everything_set_aside_it_says_what_the_list_is(client, recommender):
    drops = "".join(f"&drop={id}" for id in recommender.history_of("u3"))
    text = look(client, f"/?user=u3{drops}")
    assert "Nothing of the history counts" in text
    assert len(rows(text)) == 10


def test_an_item_shows_its_neighbours_and_how_it_stands(client, recommender):
    masks = recommender.model.content_masks
    row = next(row for row in range(30) if all(mask[row] for mask in masks.values()))
    id = recommender.items.ids([row])[0]
    text = look(client, f"/item/{id}?user=u3")
    for by in ("image", "text", "learned"):
        for item in recommender.similar_items(id, 8, by):
            assert f"<small>{item.similarity:.3f}</small>".replace("-", "−") in text
    assert html.escape(recommender.explain(id, "u3", k=10).in_words()[0]) in text
    without = next(row for row in range(30) if not masks["image"][row])
    text = look(client, f"/item/{recommender.items.ids([without])[0]}")
    assert f"Item {without} has no image to compare others with" in text


def test_nothing_of_it_is_foreign_inline_or_dangerous(client_of, tmp_path):
    run = write_run(tmp_path / "runs" / "hostile")
    frame = pl.read_parquet(run / ITEMS)
    frame = frame.with_columns(title=pl.lit(HOSTILE), text=pl.lit(HOSTILE), colour=pl.lit(HOSTILE))
    frame.write_parquet(run / ITEMS)
    seal(run / ITEMS, run / USERS, run / INTERACTIONS)
    client = client_of(run=run)
    for path in (
        "/",
        "/?user=u3&off=image",
        "/item/i03?user=u3",
        "/?q=script",
        "/nothing",
        "/?user=<script>",
    ):
        answer = client.get(path, headers=BROWSER)
        page = Page(answer.text)
        assert not page.wrong
        assert [script["src"].startswith("/static/") for script in page.all("script")] == [True]
        assert not page.all("style")
        for tag, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes), tag
            for name in ("src", "href", "action"):
                assert (attributes.get(name) or "/").startswith(("/", "#")), attributes
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert HOSTILE in Page(client.get("/item/i03", headers=BROWSER).text).text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/?user=nobody", 422, "User 'nobody' is neither among the 12 users of the run nor has sent events"),
        ("/?add=zzz", 422, "1 item of this history is not in the catalog: 'zzz'."),
        ("/?user=u3&off=imag", 422, "The model reads image, text, not 'imag'; did you mean 'image'?"),
        ("/item/zzz", 404, "There is no item 'zzz' among the 30 of the catalog."),
        ("/?k=0", 422, "K in the address must be a whole number from 1, got '0'."),
        ("/?page=x", 422, "Page in the address must be a whole number from 1, got 'x'."),
        ("/?q=" + "x" * 300, 422, "A value in the address may have 256 letters at most"),
        ("/nowhere", 404, "There is nothing under this path"),
        ("/report", 404, "This run has no report"),
        ("/static/../page.py", 404, "There is nothing under this path"),
    ],
)
def test_what_goes_wrong_is_said_on_a_page(client, path, status, sentence):
    assert sentence in html.unescape(look(client, path, status))


def test_programs_get_errors_as_json(client):
    assert client.get("/item/zzz").json()["message"].startswith("there is no item 'zzz'")


def test_an_error_that_nobody_foresaw_is_a_page_too(client, monkeypatch):
    def fail(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr("irisrec.serving.page.routes.home", fail)
    text = look(client, "/", 500)
    assert "Something went wrong" in text
    assert "secret" not in text


def test_the_report_is_served_as_it_lies_and_cannot_run_anything(client_of, tmp_path):
    run = write_run(tmp_path / "runs" / "reported")
    (run / "report.html").write_text("<html><body>\n<p style='color: red'>numbers</p></body></html>")
    answer = client_of(run=run).get("/report")
    assert "<p style='color: red'>numbers</p>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


def test_a_report_that_leads_elsewhere_is_not_followed(client_of, tmp_path):
    run = write_run(tmp_path / "runs" / "led")
    (tmp_path / "secret.html").write_text("secret")
    (run / "report.html").symlink_to(tmp_path / "secret.html")
    assert "secret" not in look(client_of(run=run), "/report", 404)


def test_with_keys_a_browser_signs_in_and_out(client_of):
    key = new_key()
    client = client_of(keys=[ApiKey(name="shop", scope="read", sha256=hashed(key)).model_dump()])
    asked = client.get("/?user=u3&k=20", headers=BROWSER, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?to=/%3Fuser%3Du3%26k%3D20")
    assert 'value="/?user=u3&amp;k=20"' in look(client, asked.headers["location"])
    assert client.get("/static/page.css").status_code == 200
    wrong = client.post("/sign-in", data={"key": "iris_wrong", "to": "/"}, headers=BROWSER)
    assert wrong.status_code == 403
    assert "This key is not known" in wrong.text
    right = client.post("/sign-in", data={"key": key, "to": "/?user=u3"}, follow_redirects=False)
    assert right.headers["location"] == "/?user=u3"
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    look(client, "/?user=u3")
    client.get("/sign-out")
    assert client.get("/", headers=BROWSER, follow_redirects=False).status_code == 303
    away = client.post("/sign-in", data={"key": key, "to": "//elsewhere"}, follow_redirects=False)
    assert away.headers["location"] == "/"


def test_a_browser_says_where_its_forms_come_from(client):
    """Without any referrer it would send them with ``Origin: null``, which the gate takes for a page elsewhere."""
    assert client.get("/", headers=BROWSER).headers["referrer-policy"] == "same-origin"
    origins = {"http://localhost": 200, "null": 403, "http://elsewhere": 403}
    for origin, status in origins.items():
        answer = client.post("/recommend", json={"history": ["i03"]}, headers={"Origin": origin})
        assert answer.status_code == status


def test_a_model_of_users_shows_their_lists_and_asks_for_no_clicks(client_of, tmp_path):
    run = write_run(tmp_path / "runs" / "bpr", model={"name": "bpr-mf", "dim": 4})
    client = client_of(run=run)
    text = look(client, "/?user=u3")
    assert rows(text) == titles(Recommender.load(run).recommend("u3", k=10))
    assert "Why" not in text
    assert 'class="pick"' not in text
    assert 'class="act"' not in text
    refused = html.unescape(look(client, "/?add=i03", 422))
    assert "can score only the 12 users it was trained with" in refused


def test_a_model_without_content_has_nothing_to_switch_off(client_of, tmp_path):
    run = write_run(tmp_path / "runs" / "fism", model={"name": "fism", "dim": 4})
    text = look(client_of(run=run), "/?user=u3")
    assert "The model reads" not in text
    assert 'class="legend"' not in text
    assert rows(text) == titles(Recommender.load(run).recommend("u3", k=10))


def test_users_may_be_numbers(client_of, tmp_path):
    client = client_of(run=write_run(tmp_path / "runs" / "numbers", integer_users=True))
    assert len(rows(look(client, "/?user=3"))) == 10
    assert "User ids here are integers, got 'x'" in html.unescape(look(client, "/?user=x", 422))


def test_a_picture_that_is_gone_is_a_tile_with_its_title(client):
    text = look(client, "/item/i01")
    assert 'bare" aria-hidden="true"><span class="whole">Item 1</span>' in text
    assert '<img src="/pictures/i00?size=400"' in look(client, "/item/i00")


@pytest.fixture
def shelf(recommender):
    frame = recommender.catalog.frame.head(4).with_columns(
        title=pl.Series(["Red mug", "Blue mug", "Kite", "Mug of tea"]),
        text=pl.Series([None, "for tea", "a red kite", None]),
    )
    known = recommender.known
    counts = np.array([1, 5, 9, 5])
    small = Recommender(recommender.model, Catalog(frame), known)
    small.known = KnownUsers(known.ids, lambda: replace(known.table, counts=counts))
    return Served(small, None)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [2, 1, 3, 0]),
        ("mug", [1, 3, 0]),
        ("TEA", [3, 1]),
        ("red", [0, 2]),
        ("mug tea", [3, 1]),
        ("zzz", []),
    ],
)
def test_the_catalog_is_searched_in_titles_first(shelf, words, found):
    assert list(browse(shelf, words, 1, 10).rows) == found


def test_the_catalog_is_paged_and_no_page_is_beyond_the_last(shelf):
    pages = [browse(shelf, "", page, 3) for page in (1, 2, 7)]
    assert [page.rows for page in pages] == [(2, 1, 3), (0,), (0,)]
    assert [(page.page, page.n_pages, page.n_found) for page in pages] == [(1, 2, 4), (2, 2, 4), (2, 2, 4)]


def test_the_address_keeps_the_view():
    state = State("u 7", ("a&b", "c"), ("d",), ("image",), 20, "", "red mug", 3)
    assert state.url() == "/?user=u+7&add=a%26b&add=c&drop=d&off=image&k=20&why=&q=red+mug&page=3"
    assert state.adding("d").dropped == ()
    assert state.adding("c") == state
    assert state.dropping("c").dropped == ("d", "c")
    assert state.switching("image").switching("text").off == ("text",)
    assert State().url() == "/"


def test_parts_lie_on_their_side_of_zero():
    scale = Scale.of([{"a": 2.0, "b": -1.0}, {"a": 1.0}])
    bar = scale.bar({"a": 2.0, "b": -0.5, "c": 0.0})
    assert bar.zero == pytest.approx(33.5, abs=0.01)  # half a percent stays free at both ends
    (a, b) = bar.segments
    assert (a.name, a.x, a.width) == ("a", pytest.approx(33.5), pytest.approx(66))
    assert (b.name, b.x, b.width) == ("b", pytest.approx(17), pytest.approx(16.5))
    assert Scale.of([]).bar({}).segments == ()


def test_moves_and_what_is_gone():
    before = {"a": 1, "b": 2, "c": 3, "d": 4}
    assert moved(1, 4).by == 3
    assert moved(2, 2).kind == "same"
    assert gone(before, {"a", "d"}, 3) == [("b", 2), ("c", 3)]
