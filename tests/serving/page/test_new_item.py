"""A new item that is tried out on the page: the numbers are the library's, and nothing of it is kept."""

import html
import io
import re

import pytest
from PIL import Image

from irisrec.recommendation.adding import NewItem
from irisrec.recommendation.recommender import Recommender
from irisrec.serving.config import ApiKey
from irisrec.serving.keys import hashed, new_key
from tests.serving.page.test_page import BROWSER
from tests.serving.small import GROWING, write_run


def picture(size=(64, 48)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("growing") / "run", model=GROWING)


@pytest.fixture
def client(client_of, growing):
    return client_of(run=growing)


def send(client, image=b"", query="", **fields):
    # a browser sends an empty part for a picture that was not chosen
    files = {"picture": ("new.png" if image else "", image)}
    return client.post(f"/new-item{query}", data=fields, files=files, headers=BROWSER)


def test_it_is_tried_with_the_library_s_numbers_and_kept_nowhere(client, growing):
    answer = send(client, picture(), "?user=u3", title="Red thing")
    assert answer.status_code == 200
    recommender = Recommender.load(growing)
    grown = recommender.add_items([NewItem("x", "Red thing", {"image": picture()})])
    users = list(recommender.users.series)
    lists = dict(zip(users, grown.recommend_many(users=users, k=10), strict=True))
    places = {
        user: (place, item)
        for user, items in lists.items()
        for place, item in enumerate(items, start=1)
        if item.item_id == "x"
    }
    assert f"Recommended to {len(places)} of 12 users" in answer.text
    best = sorted(places, key=lambda user: -places[user][1].score)[:6]
    assert best, "the item of this test is to be recommended to somebody"
    shown = re.findall(r'<h3><a href="/\?user=(\w+)".*?<small>place (\d+)</small>', answer.text)
    assert shown == [(user, str(places[user][0])) for user in best]
    explained = grown.explain("x", "u3", k=10)
    assert html.escape(explained.in_words()[0]) in answer.text
    total = re.search(
        r'class="total">.*?data-label="Score">.*?<span>([−+][\d.]+)</span>', answer.text, re.DOTALL
    )
    assert float(total[1].replace("−", "-")) == pytest.approx(explained.score, rel=1e-5)
    for item in grown.similar_items("x", 8, "image"):
        assert f"<small>{item.similarity:.3f}</small>".replace("-", "−") in answer.text
    assert 'src="data:image/webp;base64,' in answer.text
    assert client.get("/version").json()["n_items"] == 30


def test_a_user_who_asked_to_be_forgotten_is_not_looked_at(client):
    taker = re.search(r'<h3><a href="/\?user=(\w+)"', send(client, picture()).text)[1]
    client.delete(f"/users/{taker}")
    after = send(client, picture()).text
    assert "of 11 users" in after
    assert f'href="/?user={taker}"' not in after


@pytest.mark.parametrize(
    ("limits", "sent", "sentence"),
    [
        ({}, {}, "An item that nobody had is known by its content alone"),
        ({}, {"image": b"no picture"}, "The file is not a picture; it may be"),
        ({}, {"text": "a teapot"}, "has a text, and no modality of this run reads one"),
        ({}, {"image": picture(), "query": "?user=nobody"}, "User 'nobody' is neither"),
        ({"pixels": 100}, {"image": picture()}, "64 x 48 pixels, more than the 100 that may be sent here"),
        ({"picture_bytes": 1000}, {"image": b"x" * 1001}, "A picture may have at most 1,000 bytes here"),
    ],
)
def test_what_cannot_be_tried_is_said(client_of, growing, limits, sent, sentence):
    answer = send(client_of(run=growing, limits=limits), **sent)
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.text)


def test_a_model_that_cannot_take_new_items_says_what_would(client_of, run):
    client = client_of(run=run)
    text = client.get("/new-item", headers=BROWSER).text
    assert "model.content_factors" in text
    assert "<form" not in text


def test_a_key_for_reading_is_enough(client_of, growing):
    key = new_key()
    client = client_of(run=growing, keys=[ApiKey(name="shop", scope="read", sha256=hashed(key)).model_dump()])
    client.post("/sign-in", data={"key": key})
    assert send(client, picture()).status_code == 200


def test_an_item_that_was_added_is_on_the_page(client):
    client.post(
        "/items", data={"item_id": "new", "title": "Red thing"}, files={"picture": ("x.png", picture())}
    )
    text = client.get("/item/new?add=i03", headers=BROWSER).text
    assert "Red thing" in text
    assert '<img src="/pictures/new?size=400"' in text
    assert client.get("/?add=new", headers=BROWSER).status_code == 200
