"""What breaks beside the service is said in a sentence, loses nothing acknowledged, and mends by itself."""

import threading
import time

LIST = {"history": ["i03", "i07"], "k": 3}


def event(id, user="u3"):
    return {"events": [{"event_id": id, "user_id": user, "item_id": "i04"}]}


def test_a_postgresql_that_is_restarted_in_the_middle_of_writing(client_of, postgres):
    client = client_of(database=postgres.url("middle"))
    acknowledged, statuses, stop = [], set(), threading.Event()

    def write(writer):
        number = 0
        while not stop.is_set():
            id = f"e{writer}-{number}"
            status = client.post("/interactions", json=event(id)).status_code
            statuses.add(status)
            acknowledged.extend([id] * (status == 200))
            number += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 10:
        time.sleep(0.005)
    postgres.stop()
    assert client.get("/ready").status_code == 503
    assert client.post("/recommend", json={"user_id": "u3"}).status_code == 503
    assert client.post("/recommend", json=LIST).status_code == 200
    postgres.start()
    before = len(acknowledged)
    while len(acknowledged) < before + 10:
        time.sleep(0.005)
    stop.set()
    for thread in threads:
        thread.join()
    assert client.get("/ready").status_code == 200
    assert statuses == {200, 503}
    past = client.app.state.service.store.past("u3", 1_000_000)
    assert set(acknowledged) <= {event.event_id for event in past.events}


def test_a_full_disk_refuses_what_it_cannot_keep_and_reading_goes_on(client):
    assert client.post("/interactions", json=event("e1")).status_code == 200
    engine = client.app.state.service.store.database.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    many = {"events": [{"user_id": "u3" * 50, "item_id": "i04"}] * 500}
    answer = client.post("/interactions", json=many)
    assert answer.status_code == 507
    assert answer.json()["message"] == "the history store has no room left; nothing of this request was kept"
    assert client.get("/users/u3/history").json()["n_events"] == 1
    assert client.post("/recommend", json={"user_id": "u3"}).status_code == 200
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert client.post("/interactions", json=many).json()["n_new"] == 500


def test_more_requests_than_may_wait_are_turned_away_at_once_and_those_that_wait_are_answered(client_of):
    client = client_of(limits={"waiting": 4})
    computing = client.app.state.service._computing
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(20)

    computing._threads.submit(hold)  # the only thread
    begun.wait(20)
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.post("/recommend", json=LIST).status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    while len(statuses) < 7:  # one was given to the thread, four wait
        time.sleep(0.005)
    assert set(statuses) == {503}
    go_on.set()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [503] * 7
    assert "irisrec_waiting_requests 0.0" in client.get("/metrics").text


def test_requests_that_wait_for_the_same_kind_of_list_are_computed_together(client_of):
    client = client_of()
    computing = client.app.state.service._computing
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(20)

    alone = [client.post("/recommend", json={"history": [f"i{n:02}"], "k": 3}).json() for n in range(6)]
    computing._threads.submit(hold)
    begun.wait(20)
    together = {}

    def ask(n):
        together[n] = client.post("/recommend", json={"history": [f"i{n:02}"], "k": 3}).json()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    while len(computing._queue) < 5:
        time.sleep(0.005)
    go_on.set()
    for thread in threads:
        thread.join()
    for n in range(6):
        for one, other in zip(alone[n]["items"], together[n]["items"], strict=True):
            assert one["item_id"] == other["item_id"]
            assert abs(one["score"] - other["score"]) < 1e-4
    assert 'irisrec_batch_size_bucket{le="4.0"} 7.0' in client.get("/metrics").text  # seven alone
    assert 'irisrec_batch_size_bucket{le="8.0"} 8.0' in client.get("/metrics").text  # and five together


def test_a_request_that_takes_too_long_is_given_up_and_the_next_one_is_served(client_of):
    client = client_of(limits={"seconds": 0.3})
    computing = client.app.state.service._computing
    go_on = threading.Event()
    computing._threads.submit(go_on.wait, 20)
    answer = client.post("/recommend", json=LIST)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["message"] == "the model did not answer within 0.3 s; try again"
    go_on.set()
    deadline = time.monotonic() + 20
    while client.post("/recommend", json=LIST).status_code != 200:
        assert time.monotonic() < deadline
