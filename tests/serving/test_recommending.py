"""Lists, similar items and explanations over HTTP are those of the library."""

import pytest

from irisrec.recommendation.history import History
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from tests.serving.small import write_run

HISTORY = ["i03", "i07", "i11"]


@pytest.fixture(scope="module")
def recommender(run):
    return Recommender.load(run)


def ids(answer):
    return [item["item_id"] for item in answer.json()["items"]]


def test_a_list_for_a_history_is_the_library_s(client, recommender):
    answer = client.post("/recommend", json={"history": HISTORY, "k": 4, "reasons": 2})
    assert answer.status_code == 200
    wanted = recommender.recommend(history=HISTORY, k=4, n_reasons=2)
    for got, item in zip(answer.json()["items"], wanted, strict=True):
        plain = item.to_json()
        assert (got["item_id"], got["title"], got["words"]) == (item.item_id, item.title, item.in_words())
        assert got["score"] == pytest.approx(item.score, rel=1e-5)
        assert [reason["item_id"] for reason in got["because"]] == [r["item_id"] for r in plain["because"]]
        assert got["because"][0]["modalities"] == pytest.approx(plain["because"][0]["modalities"], rel=1e-4)


def test_a_list_for_a_known_user_is_the_library_s(client, recommender):
    answer = client.post("/recommend", json={"user_id": "u3", "k": 5, "half_life": 20})
    assert ids(answer) == [item.item_id for item in recommender.recommend("u3", k=5, half_life=20.0)]
    assert answer.json()["n_history"] == len(recommender.history_of("u3"))


def test_weights_times_and_rules_reach_the_library(client, recommender):
    history = [{"item_id": "i03", "weight": 3.0, "time": 5}, {"item_id": "i07", "time": 1.5}, "i11"]
    rules = {"where": ["colour=red,blue"], "at_most": {"colour": 2}, "deny": ["i00"], "diversity": 0.4}
    asked = {"history": history, "k": 6, "rules": rules, "half_life": 2.0}
    wanted = recommender.recommend(
        history=History(HISTORY, [3.0, 1.0, 1.0], [5, 1.5, None]),
        k=6,
        rules=Rules.read(rules),
        half_life=2.0,
    )
    assert ids(client.post("/recommend", json=asked)) == [item.item_id for item in wanted]
    assert len(wanted) == 4  # two of each colour


def test_reasons_can_be_left_out(client):
    answer = client.post("/recommend", json={"history": HISTORY, "reasons": 0}).json()
    assert all(item["because"] == [] and item["words"] == "" for item in answer["items"])


@pytest.mark.parametrize("together", [1, 2, 32])
def test_a_batch_is_the_lists_of_its_people(client_of, together):
    client = client_of(limits={"together": together})
    people = [
        {"history": HISTORY}, {"user_id": "u3"}, {"history": []}, {"user_id": "u5"}, {"history": ["i07"]},
        {"user_id": "u1"},
    ]  # fmt: skip
    batch = client.post("/recommend/batch", json={"people": people, "k": 3}).json()["lists"]
    for person, found in zip(people, batch, strict=True):
        alone = client.post("/recommend", json={**person, "k": 3}).json()
        assert [item["item_id"] for item in found["items"]] == [item["item_id"] for item in alone["items"]]


@pytest.mark.parametrize("by", ["learned", "image", "text"])
def test_similar_items_are_the_library_s(client, recommender, by):
    query = next(
        id
        for id in recommender.items.series
        if by == "learned" or recommender.model.content_masks[by][recommender.items.index([id])[0]]
    )
    answer = client.get(f"/similar/{query}", params={"k": 3, "by": by})
    assert ids(answer) == [item.item_id for item in recommender.similar_items(query, 3, by)]


def test_an_explanation_is_the_library_s(client, recommender):
    answer = client.post("/explain", json={"user_id": "u3", "item_id": "i05", "k": 2}).json()
    wanted = recommender.explain("i05", "u3", k=2)
    assert (answer["rank"], answer["words"]) == (wanted.rank, wanted.in_words())
    assert answer["score"] == pytest.approx(wanted.score, rel=1e-5)


def test_words_use_the_verb_of_the_settings(client_of):
    client = client_of(verb="watched")
    words = [item["words"] for item in client.post("/recommend", json={"history": HISTORY}).json()["items"]]
    assert any(words)
    assert all("watched" in sentence for sentence in words if sentence)


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/recommend", {"history": ["nope"]}, 422, "1 of 1 item id is not among the 30 known: 'nope'"),
        ("/recommend", {"user_id": "nobody"}, 404, "user 'nobody' is neither among the 12 users of the run"),
        ("/recommend", {"user_id": 7}, 422, "user ids here are strings, got 7"),
        ("/recommend", {"k": 3}, 422, "give either user_id or history, got neither"),
        ("/recommend", {"history": [], "kk": 3}, 422, "unknown field body.kk"),
        ("/recommend", {"history": [], "k": 0}, 422, "body.k: input should be greater than or equal to 1, got 0"),
        ("/recommend", {"history": [], "k": 500}, 422, "k may be at most 100 here, got 500"),
        ("/recommend", {"history": [], "reasons": 50}, 422, "reasons may be at most 10 here, got 50"),
        ("/recommend", {"history": ["i01"] * 1001}, 422, "the length of a history may be at most 1,000 here"),
        ("/recommend", {"history": [], "rules": {"where": ["price<3"]}}, 422, "the catalog has no column 'price'"),
        ("/recommend/batch", {"people": [{"history": []}] * 101}, 422, "people may be at most 100 here, got 101"),
        ("/explain", {"user_id": "u3", "item_id": "nope"}, 422, "1 of 1 item id is not among the 30 known"),
        ("/explain", {"user_id": "u3"}, 422, "body.item_id is required"),
    ],
)  # fmt: skip
def test_mistakes_get_the_library_s_sentence(client, path, body, status, sentence):
    answer = client.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(sentence)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_model_that_learns_users_says_for_whom_it_can_answer(client_of, tmp_path):
    client = client_of(run=write_run(tmp_path / "runs" / "bpr", model={"name": "bpr-mf", "dim": 4}))
    assert client.post("/recommend", json={"user_id": "u3", "k": 2}).status_code == 200
    answer = client.post("/recommend", json={"history": HISTORY})
    assert answer.status_code == 422
    assert "can score only the 12 users it was trained with" in answer.json()["message"]
