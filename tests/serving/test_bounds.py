"""What is kept while the service runs is bounded, and what threads share stays whole."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from irisrec.errors import RunError
from irisrec.recommendation import recommender as recommending
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from irisrec.serving import pictures as scaling
from irisrec.serving import served as serving
from irisrec.serving.computing import Computing
from irisrec.serving.metrics import Metrics
from irisrec.serving.pictures import Pictures
from irisrec.serving.served import Served


@pytest.fixture(scope="module")
def served(run):
    return Served(Recommender.load(run), run)


def test_scaled_pictures_are_kept_up_to_a_number_of_bytes_and_those_sent_are_not(served, monkeypatch):
    made = []
    monkeypatch.setattr(scaling, "scaled", lambda picture, size: made.append(size) or b"x" * size)
    monkeypatch.setattr(scaling, "_KEPT", 250)
    pictures, sent = Pictures(), b"y" * 1_000_000
    for size in (100, 100, 101, 100, 102):  # 102 has no room beside both, and 101 was asked for longest ago
        pictures.of(served, "i05", size, sent)
    assert made == [100, 101, 102]
    pictures.of(served, "i05", 100, sent)
    pictures.of(served, "i05", 101, sent)
    assert made == [100, 101, 102, 101]
    assert pictures._n_bytes == sum(map(len, pictures._kept.values())) <= 250
    assert not any(isinstance(part, bytes) for key in pictures._kept for part in key)


def test_runs_without_modalities_are_kept_up_to_a_number(served, monkeypatch):
    monkeypatch.setattr(serving, "_VARIANTS", 2)
    first = served.without(["image"])
    assert served.without(["image"]) is first
    served.without(["text"])
    served.without(["image", "text"])
    assert len(served._variants) == 2
    again = served.without(["image"])
    assert again is not first
    assert again.recommender.recommend("u3") == first.recommender.recommend("u3")


def test_rules_looked_up_by_several_threads_are_never_lost(run, monkeypatch):
    monkeypatch.setattr(recommending, "_RULES_KEPT", 1)
    recommender, failed = Recommender.load(run), []
    recommender.resolved(Rules())

    def look(number):
        try:
            for n in range(60):
                denied = f"i{(n + number) % 5:02}"
                tables = recommender.resolved(Rules(deny=(denied,)))
                assert not tables.allowed[int(denied[1:])]
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_who_has_gone_is_not_computed_for():
    asked = []

    async def busy():
        computing = Computing(1, 10, 10.0, Metrics(), 8)
        blocked = threading.Event()
        first = asyncio.create_task(computing.run("wait", blocked.wait))
        await asyncio.sleep(0)
        some = [
            asyncio.create_task(
                computing.join("list", lambda values: asked.append(list(values)) or values, n, "same")
            )
            for n in range(4)
        ]
        await asyncio.sleep(0)
        some[2].cancel()
        await asyncio.sleep(0)
        blocked.set()
        done = await asyncio.gather(first, *some, return_exceptions=True)
        computing.close()
        return done

    with ThreadPoolExecutor(1) as apart:  # a browser of another test may have a loop in this thread
        done = apart.submit(asyncio.run, busy()).result()
    assert done[1:3] + done[4:] == [0, 1, 3]
    assert asked == [[0, 1, 3]]


def test_methods_that_nobody_knows_count_as_one(client):
    for method in ("BREW", "PROPFIND", "MKCOL"):
        client.request(method, "/recommend")
    text = client.get("/metrics").text
    assert 'irisrec_requests_total{method="(other)"' in text
    assert "BREW" not in text


@pytest.mark.parametrize("error", [RunError("the folder is gone"), RuntimeError("unforeseen")])
def test_the_look_for_items_of_replicas_goes_on_after_an_error(client_of, monkeypatch, error):
    client = client_of(items_seconds=0.01)
    tried = []

    async def failing():
        tried.append(1)
        raise error

    monkeypatch.setattr(client.app.state.service.current, "catch_up", failing)
    until = time.monotonic() + 10
    while len(tried) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(tried) >= 3
