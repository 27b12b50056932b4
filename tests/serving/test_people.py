"""What people did since the training counts at once, and what is forgotten counts no more."""

import pytest

from irisrec.recommendation.history import History
from irisrec.recommendation.recommender import Recommender


@pytest.fixture(scope="module")
def recommender(run):
    return Recommender.load(run)


def ids(answer):
    return [item["item_id"] for item in answer.json()["items"]]


def send(client, *events):
    return client.post("/interactions", json={"events": list(events)})


def test_the_next_recommendation_counts_what_was_sent(client, recommender):
    asked = {"user_id": "u3", "k": 30}
    before = ids(client.post("/recommend", json=asked))
    sent = send(client, {"event_id": "e1", "user_id": "u3", "item_id": before[0], "time": 200})
    assert sent.json() == {"event_ids": ["e1"], "n_new": 1, "n_known": 0}
    after = client.post("/recommend", json=asked)
    history = [*recommender.history_of("u3"), before[0]]
    assert ids(after) == [item.item_id for item in recommender.recommend(history=history, k=30)]
    assert after.json()["n_history"] == len(history)


def test_times_of_events_count_with_those_of_the_training(client, recommender):
    row = recommender.known.row("u3")
    items, times = recommender.known.history(row)
    new = next(id for id in recommender.items.series if id not in recommender.history_of("u3"))
    send(client, {"user_id": "u3", "item_id": new, "time": 150})
    history = History([*recommender.items.ids(items), new], times=[*times.tolist(), 150.0])
    wanted = recommender.recommend(history=history, k=9, half_life=10.0)
    assert ids(client.post("/recommend", json={"user_id": "u3", "k": 9, "half_life": 10.0})) == [
        item.item_id for item in wanted
    ]


def test_a_user_whom_nobody_knew_is_known_by_the_first_event(client, recommender):
    assert client.post("/recommend", json={"user_id": "newcomer"}).status_code == 404
    send(client, {"user_id": "newcomer", "item_id": "i04"}, {"user_id": "newcomer", "item_id": "i04"})
    answer = client.post("/recommend", json={"user_id": "newcomer", "k": 3})
    assert ids(answer) == [item.item_id for item in recommender.recommend(history=["i04"], k=3)]
    assert answer.json()["n_history"] == 1


def test_an_event_sent_twice_counts_once_and_another_by_its_name_is_refused(client):
    event = {"event_id": "order-1", "user_id": "u3", "item_id": "i04"}
    send(client, event)
    again = send(client, event, {"event_id": "order-2", "user_id": "u3", "item_id": "i05"})
    assert again.json() == {"event_ids": ["order-1", "order-2"], "n_new": 1, "n_known": 1}
    other = send(client, event | {"item_id": "i06"})
    assert other.status_code == 409
    assert client.get("/users/u3/history").json()["n_events"] == 2


def test_an_event_of_an_unknown_item_is_refused_with_all_others(client):
    answer = send(client, {"user_id": "u3", "item_id": "i04"}, {"user_id": "u3", "item_id": "nope"})
    assert answer.status_code == 422
    assert "'nope'" in answer.json()["message"]
    assert client.get("/users/u3/history").json()["n_events"] == 0


def test_a_history_names_events_first_and_then_what_the_training_knew(client, recommender):
    send(client, {"event_id": "e1", "user_id": "u3", "item_id": "i04", "time": "1970-01-03"})
    found = client.get("/users/u3/history").json()
    trained = recommender.history_of("u3")
    assert [entry["item_id"] for entry in found["entries"]] == ["i04", *trained]
    assert found["entries"][0] == {
        "item_id": "i04", "title": "Item 4", "source": "event", "event_id": "e1", "time": 2.0,
    }  # fmt: skip
    assert (found["n_events"], found["n_training"]) == (1, len(trained))
    assert len(client.get("/users/u3/history?limit=2").json()["entries"]) == 2


def test_a_forgotten_user_is_unknown_also_where_the_training_knew_the_user(client):
    send(client, {"user_id": "u3", "item_id": "i04"})
    answer = client.delete("/users/u3").json()
    assert answer == {"user_id": "u3", "n_events": 1, "was_in_training": True}
    assert client.get("/users/u3/history").status_code == 404
    assert client.post("/recommend", json={"user_id": "u3"}).status_code == 404
    assert client.post("/explain", json={"user_id": "u3", "item_id": "i04"}).status_code == 404
    assert client.post("/recommend", json={"user_id": "u4"}).status_code == 200
    send(client, {"user_id": "u3", "item_id": "i05"})
    assert client.post("/recommend", json={"user_id": "u3"}).json()["n_history"] == 1


def test_a_forgotten_user_is_not_offered_on_the_page(client):
    before = client.get("/").text
    assert "user=u0" in before
    client.delete("/users/u0")
    after = client.get("/").text
    assert "user=u0" not in after
    assert after.count("user=u") == before.count("user=u") - 1


def test_deleting_a_history_s_path_forgets_nobody(client):
    answer = client.delete("/users/u3/history")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert client.get("/users/u3/history").status_code == 200


def test_a_user_whose_id_ends_like_a_history_s_path_is_forgotten_too(client):
    id, path = "team/history", "/users/team%2Fhistory"
    send(client, {"user_id": id, "item_id": "i04"})
    assert client.get(f"{path}/history").json()["user_id"] == id
    assert client.delete(path).json() == {"user_id": id, "n_events": 1, "was_in_training": False}
    assert client.get(f"{path}/history").status_code == 404


def test_only_the_newest_events_count_and_the_answer_says_how_many_do_not(client_of):
    client = client_of(limits={"history": 3})
    send(client, *({"user_id": "new", "item_id": f"i{n:02}"} for n in range(5)))
    answer = client.post("/recommend", json={"user_id": "new", "k": 27}).json()
    assert (answer["n_history"], answer["n_left_out"]) == (3, 2)
    offered = {item["item_id"] for item in answer["items"]}
    assert {"i00", "i01"} <= offered
    assert not {"i02", "i03", "i04"} & offered


def test_events_of_items_that_a_later_run_lacks_are_kept_and_counted_as_left_out(client):
    from irisrec.serving.store.history import Event

    store = client.app.state.service.store
    store.append([Event("e1", "new", "an item of another run"), Event("e2", "new", "i04")])
    answer = client.post("/recommend", json={"user_id": "new"}).json()
    assert (answer["n_history"], answer["n_left_out"]) == (1, 1)
    entries = client.get("/users/new/history").json()["entries"]
    assert [(entry["item_id"], entry["title"]) for entry in entries] == [
        ("i04", "Item 4"),
        ("an item of another run", None),
    ]


def test_integer_users_are_integers_in_bodies_and_in_paths(client_of, tmp_path):
    from tests.serving.small import write_run

    client = client_of(run=write_run(tmp_path / "runs" / "integers", integer_users=True))
    assert client.post("/recommend", json={"user_id": 3}).status_code == 200
    assert client.post("/recommend", json={"user_id": "3"}).status_code == 422
    send(client, {"user_id": 3, "item_id": "i04"})
    assert client.get("/users/3/history").json()["n_events"] == 1
    assert client.get("/users/three/history").json()["message"] == "user ids here are integers, got 'three'"
