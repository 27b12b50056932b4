"""Items that are added are recommended at once, and are there after every start, reload, and in every replica."""

import io
import json
import time

import pytest
from PIL import Image

from irisrec.recommendation.adding import NewItem
from irisrec.recommendation.recommender import Recommender
from tests.serving.small import GROWING, write_run


def picture(colour="red", size=(64, 48), kind="PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("growing") / "run", model=GROWING)


@pytest.fixture
def client(client_of, growing):
    return client_of(run=growing)


def add(client, id="new", image=None, **fields):
    files = {} if image is None else {"picture": ("x.png", image)}
    return client.post("/items", data={"item_id": id, **fields}, files=files or {"picture": ("", b"")})


def ids(client, history=("i03", "i07")):
    answer = client.post("/recommend", json={"history": list(history), "k": 40})
    return [(item["item_id"], round(item["score"], 3)) for item in answer.json()["items"]]


def test_an_added_item_is_recommended_at_once_as_the_library_would(client, growing):
    before = ids(client)
    vector = {"text": [0.5, -1.0, 0.25, 0.0, 2.0]}
    answer = add(client, image=picture(), title="New thing", vectors=json.dumps(vector))
    assert (answer.status_code, answer.json()) == (
        201,
        {"item_id": "new", "title": "New thing", "is_new": True},
    )
    recommender = Recommender.load(growing)
    new = NewItem("new", "New thing", {"image": picture(), "text": vector["text"]})
    wanted = recommender.add_items([new]).recommend(history=["i03", "i07"], k=40)
    after = ids(client)
    assert after == [(item.item_id, pytest.approx(item.score, abs=2e-3)) for item in wanted]
    assert [item for item in after if item[0] != "new"] == before
    assert client.get("/version").json()["n_added"] == 1


def test_an_added_item_can_be_had_compared_explained_and_seen(client):
    add(client, image=picture())
    event = {"events": [{"user_id": "u3", "item_id": "new"}]}
    assert client.post("/interactions", json=event).status_code == 200
    assert client.get("/users/u3/history").json()["entries"][0]["title"] == "new"
    assert client.get("/similar/new?by=image&k=1").status_code == 200
    assert client.post("/explain", json={"history": ["i03"], "item_id": "new"}).json()["title"] == "new"
    answer = client.get("/pictures/new?size=96")
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (64, 48)


def test_an_added_item_is_there_after_a_start_and_a_reload_and_in_a_replica(client_of, growing):
    first = client_of(run=growing)
    replica = client_of(run=growing, items_seconds=0.05)
    add(first, image=picture())
    wanted = ids(first)
    assert ids(client_of(run=growing)) == wanted
    deadline = time.monotonic() + 10
    while ids(replica) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ids(replica) == wanted
    assert first.post("/admin/reload", json={}).json()["n_added"] == 1
    assert ids(first) == wanted


def test_an_item_sent_again_is_kept_once_and_another_of_its_id_is_refused(client):
    assert add(client, image=picture()).status_code == 201
    again = add(client, image=picture())
    assert (again.status_code, again.json()["is_new"]) == (200, False)
    assert add(client, image=picture("blue")).status_code == 409
    assert add(client, id="i03", image=picture()).json()["message"] == (
        "item 'i03' is in the catalog already; give a new id"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "1 new item has no content ('new')"),
        ({"text": "A vase."}, "item 'new' has a text, and no modality of this run reads one"),
        ({"vectors": '{"text": [1]}'}, "text of item 'new' must be a vector of 5 numbers, got shape (1,)"),
        ({"vectors": '{"sound": [1]}'}, "item 'new' has content named 'sound'"),
        ({"vectors": '{"text": [NaN]}'}, "body.vectors"),
        ({"vectors": "[", "title": "x"}, "body.vectors is not JSON: EOF"),
        (
            {"columns": '{"size": 3}', "vectors": '{"text": [1, 1, 1, 1, 1]}'},
            "item 'new' has a value for 'size'",
        ),
        ({"path": "/etc/passwd"}, "unknown field body.path"),
    ],
)
def test_items_that_do_not_fit_are_refused_and_not_kept(client, fields, sentence):
    answer = add(client, **fields)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(sentence)
    assert client.get("/version").json()["n_added"] == 0


def test_pictures_that_are_none_too_large_or_bombs_are_refused(client_of, growing):
    client = client_of(run=growing, limits={"pixels": 100_000, "picture_bytes": 20_000, "body_bytes": 5000})
    bomb = picture(size=(4000, 4000))  # 16 million pixels in some 50 kB
    small_bomb = picture(size=(900, 900))
    assert len(small_bomb) < 20_000 < len(bomb)
    for data, status, sentence in (
        (b"no picture", 422, "the file is not a picture; it may be JPEG, PNG"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
            422,
            "the file is not a picture",
        ),
        (picture()[:60], 422, "image of 1 new item cannot be encoded"),
        (small_bomb, 422, "the picture has 900 x 900 pixels, more than the 100,000 that may be sent here"),
        (bomb, 413, "the body may have at most 25,000 bytes here"),
    ):
        answer = add(client, image=data)
        assert answer.status_code == status
        assert answer.json()["message"].startswith(sentence)
    assert client.get("/version").json()["n_added"] == 0


def test_a_run_that_cannot_take_items_says_so_and_serves_without_those_of_the_store(client_of, growing, run):
    add(client_of(run=growing), image=picture())
    client = client_of()
    assert client.get("/version").json()["n_added"] == 0
    answer = add(client, id="other", vectors='{"text": [1, 1, 1, 1, 1]}')
    assert answer.status_code == 422
    assert "learns items by their ids and knows nothing of a new one" in answer.json()["message"]
