import threading
import time as real_time

import polars as pl
import pytest

from irisrec.data.collect.picture_file import check_picture
from irisrec.data.collect.pictures import PictureSettings, collect_pictures
from irisrec.errors import CollectError, DataError
from irisrec.notes import counted
from tests.data.collect.server import cut_after, picture, status


@pytest.fixture
def collect(server, http, time, tmp_path):
    def collect(wanted, **more):
        options = {"http": http, "per_host": 4} | {k: v for k, v in more.items() if k != "again"}
        pairs = [(id, server.url + path if path and path.startswith("/") else path) for id, path in wanted]
        again = more.get("again", False)
        settings = PictureSettings(**options)
        return collect_pictures(pairs, tmp_path, settings, again=again, sleep=time.sleep, clock=time.clock)

    return collect


def kinds(report) -> dict:
    return dict(report.frame.select("item_id", "kind").iter_rows())


def test_pictures_are_fetched_and_named_by_id_and_format(server, collect, tmp_path):
    server.answers.files |= {"/a": picture(), "/b.jpg": picture(form="PNG"), "/c": picture(form="WEBP")}
    report = collect([("a", "/a"), ("x/../b", "/b.jpg"), ("c", "/c")])
    assert report.frame["picture"].to_list() == ["a.jpg", "x%2F..%2Fb.png", "c.webp"]
    assert all((tmp_path / name).is_file() for name in report.frame["picture"])
    assert report.coverage == 1.0
    assert pl.read_csv(tmp_path / "pictures.csv")["status"].to_list() == ["fetched"] * 3


def test_every_failure_has_its_reason_and_the_others_go_on(server, collect):
    server.answers.files |= {
        "/fine": picture(),
        "/html": b"<html>Sorry</html>",
        "/empty": b"",
        "/large": b"x" * 50_000,
        "/half": picture()[:-900],
        "/pixels": picture(size=(900, 900), form="PNG"),
    }
    server.answers.then("/loop", *[status(301, Location="/loop")] * 50)
    server.answers.then("/file", status(302, Location="file:///etc/passwd"))
    server.answers.then("/refused", status(403))
    paths = ["/fine", "/html", "/empty", "/large", "/half", "/pixels", "/loop", "/file", "/refused", "/none"]
    others = ["ftp://host/a.jpg", "file:///etc/passwd", "nonsense", "http://[broken", "", None]
    report = collect(list(enumerate(paths + others)), max_bytes=40_000, max_pixels=500_000)
    failed = [
        "not_a_picture",
        "not_a_picture",
        "too_large",
        "cut_off",
        "too_large",
        "redirects",
        "bad_address",
    ]
    failed += ["status_403", "not_found"]
    assert list(kinds(report).values()) == [None, *failed, *["bad_address"] * 4, *["no_address"] * 2]
    assert counted(report.notes)["picture_bad_address"] == 5
    assert "text/html" not in report.frame["reason"][1]


def test_the_reason_names_what_the_server_says_it_is(server, collect):
    server.answers.then("/a", status(200, b"<html>no</html>", Content_Type="text/html; charset=utf-8"))
    assert (
        collect([(1, "/a")]).frame["reason"][0]
        == "15 bytes that are no picture, the server calls it text/html"
    )


def test_what_is_here_and_what_definitely_is_not_are_not_asked_for_again(server, collect, tmp_path):
    server.answers.files["/a"] = picture()
    wanted = [(1, "/a"), (2, "/gone")]
    collect(wanted)
    report = collect(wanted)
    assert server.answers.paths() == {"/a": 1, "/gone": 1}
    assert report.frame["status"].to_list() == ["kept", "failed"]
    server.answers.files["/gone"] = picture()
    assert collect(wanted, again=True).coverage == 1.0
    (tmp_path / "1.jpg").unlink()
    assert collect(wanted).coverage == 1.0
    assert server.answers.paths()["/a"] == 2


def test_a_new_address_of_an_item_is_asked_for(server, collect):
    server.answers.files |= {"/a": picture(), "/b": picture(form="PNG")}
    collect([(1, "/a")])
    assert collect([(1, "/b")]).frame["picture"].to_list() == ["1.png"]


def test_passing_faults_are_tried_again_in_the_same_run_and_in_the_next(server, collect, time):
    server.answers.files["/a"] = picture()
    server.answers.then("/a", status(500), cut_after(100))
    assert collect([(1, "/a")]).coverage == 1.0
    assert time.slept == [1.0, 2.0]
    server.answers.then("/b", *[status(500)] * 4)
    assert kinds(collect([(2, "/b")])) == {2: "status_500"}
    server.answers.files["/b"] = picture()
    assert collect([(2, "/b")]).coverage == 1.0


def test_a_host_that_asks_for_a_pause_gets_it(server, collect, time):
    server.answers.files["/a"] = picture()
    server.answers.then("/a", status(429, Retry_After="30"))
    assert collect([(1, "/a")]).coverage == 1.0
    assert sum(time.slept) == pytest.approx(30)


def test_a_silent_or_endless_answer_is_ended(server, collect, time):
    def silent(handler, answers):
        real_time.sleep(0.5)

    def drips(handler, answers):
        handler.send(200, b"", {"Content-Length": "1000"})
        for _ in range(20):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            real_time.sleep(0.05)

    server.answers.then("/silent", *[silent] * 4)
    server.answers.then("/drips", *[drips] * 4)
    report = collect([(1, "/silent"), (2, "/drips")], seconds=0.4)
    assert kinds(report) == {1: "timeout", 2: "timeout"}


def test_a_host_that_is_down_is_left_alone_after_a_while(server, collect):
    for i in range(30):
        server.answers.then(f"/{i}", *[status(503)] * 9)
    report = collect([(i, f"/{i}") for i in range(30)], host_failures=3, per_host=1)
    assert list(kinds(report).values()) == ["status_503"] * 3 + ["host_down"] * 27
    assert len(server.answers.asked) == 12


def test_no_more_requests_at_once_than_allowed_to_one_host(server, collect):
    barrier = threading.Semaphore(0)

    def slow(handler, answers):
        barrier.acquire(timeout=0.02)
        handler.send(200, data)

    data = picture()
    for i in range(24):
        server.answers.then(f"/{i}", slow)
    assert collect([(i, f"/{i}") for i in range(24)], per_host=3).coverage == 1.0
    assert 1 < server.answers.most_under_way <= 3


def test_an_address_that_items_share_is_asked_for_once(server, collect):
    server.answers.files["/a"] = picture()
    report = collect([(1, "/a"), (2, "/a"), (2, "/a")])
    assert report.frame["picture"].to_list() == ["1.jpg", "2.jpg"]
    assert server.answers.paths()["/a"] == 1
    assert counted(report.notes)["repeated_ids"] == 1


def test_we_say_who_we_are(server, collect):
    collect([(1, "/a")])
    assert server.answers.asked[0][1]["User-Agent"].startswith("irisrec/")


def test_an_empty_table_and_a_folder_that_cannot_be_written_are_errors(
    server, collect, tmp_path, monkeypatch
):
    with pytest.raises(DataError, match="empty"):
        collect([])
    server.answers.files["/a"] = picture()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(CollectError, match="No space left"):
        collect([(1, "/a")])


def test_a_whole_picture_is_described():
    facts = check_picture(picture(size=(30, 20)))
    assert (facts["format"], facts["width"], facts["height"]) == ("JPEG", 30, 20)
