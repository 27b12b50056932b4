import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import time as real_time
import zipfile
from functools import partial

import pytest

from irisrec.data.collect.archive import gunzip, unzip
from irisrec.data.collect.download import download
from irisrec.data.collect.http import HttpSettings, wait_before
from irisrec.data.collect.published import find
from irisrec.errors import CollectError, ConfigError
from irisrec.lock import only_one
from tests.data.collect.server import cut_after, status

ZIP = "/ml-1m.zip"


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, data in files.items():
            opened.writestr(f"ml-1m/{name}.dat", data)
    return buffer.getvalue()


@pytest.fixture
def movielens(server):
    data = archive(movies=b"1::Toy Story (1995)::Comedy\n", ratings=bytes(range(256)) * 2000)
    server.answers.files[ZIP] = data
    server.answers.files[ZIP + ".md5"] = f"MD5 (ml-1m.zip) = {hashlib.md5(data).hexdigest()}\n".encode()
    return data


@pytest.fixture
def get(server, http, time, tmp_path):
    def get(name="movielens-1m", **more):
        more = {"base_url": server.url, "http": http, "sleep": time.sleep} | more
        return download(name, tmp_path, **more)

    return get


def test_a_data_set_is_fetched_checked_unpacked_and_recorded(movielens, get, tmp_path, capsys):
    paths = get()
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["movies.dat", "ratings.dat"]
    record = json.loads((tmp_path / "SOURCE.json").read_text())
    entry = record["files"]["ml-1m.zip"]
    assert "redistribution" in record["terms"]
    assert "redistribution" in capsys.readouterr().err
    assert entry["bytes"] == len(movielens)
    assert entry["sha256"] == hashlib.sha256(movielens).hexdigest()
    assert not list(tmp_path.glob("*.part*"))


def test_what_is_here_is_not_fetched_again(movielens, get, server):
    get()
    get()
    assert server.answers.paths()[ZIP] == 1


def test_a_file_cut_off_in_the_middle_is_continued_where_it_broke(movielens, get, server, tmp_path):
    server.answers.then(ZIP, cut_after(100_000), cut_after(100_000))
    get()
    ranges = [headers.get("Range") for path, headers, _ in server.answers.asked if path == ZIP]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_a_later_run_continues_what_an_earlier_one_left(movielens, get, server, tmp_path):
    server.answers.then(ZIP, cut_after(50_000), *[status(503)] * 10)
    with pytest.raises(CollectError, match=r"503.*run the same command to go on"):
        get()
    assert (tmp_path / "ml-1m.zip.part").stat().st_size == 50_000
    assert not (tmp_path / "ml-1m.zip").exists()
    server.answers.scripts.clear()
    get()
    assert server.answers.asked[-1][1]["Range"] == "bytes=50000-"
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_a_file_that_changed_between_the_tries_is_not_glued_together(movielens, get, server, tmp_path):
    other = archive(movies=b"changed", ratings=bytes(300_000))

    def cut_and_change(handler, answers):
        handler.serve(answers, cut=90_000)
        answers.files[ZIP] = other
        answers.files[ZIP + ".md5"] = hashlib.md5(other).hexdigest().encode()

    server.answers.then(ZIP, cut_and_change)
    server.answers.files[ZIP + ".md5"] = hashlib.md5(other).hexdigest().encode()
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == other


def test_a_server_that_sends_a_part_of_another_file_makes_it_start_over(movielens, get, server, tmp_path):
    def part_of_another(handler, answers):
        total = len(movielens)
        headers = {"ETag": '"other"', "Content-Range": f"bytes 1000-{total - 1}/{total}"}
        handler.send(206, bytes(total - 1000), headers)

    server.answers.then(ZIP, cut_after(1000), part_of_another)
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_a_server_without_ranges_makes_it_start_over(movielens, get, server, tmp_path):
    server.answers.ranges = False
    server.answers.then(ZIP, cut_after(1000))
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_without_a_validator_nothing_is_continued(movielens, get, server, tmp_path):
    server.answers.tags = False
    server.answers.then(ZIP, cut_after(1000))
    get()
    assert all("Range" not in headers for _, headers, _ in server.answers.asked)
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_a_part_that_is_whole_already_is_taken(movielens, get, server, tmp_path):
    tag = hashlib.md5(movielens).hexdigest()
    (tmp_path / "ml-1m.zip.part").write_bytes(movielens)
    info = {"url": server.url + ZIP, "validator": f'"{tag}"', "total": len(movielens)}
    (tmp_path / "ml-1m.zip.part.json").write_text(json.dumps(info))
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_a_wrong_checksum_is_tried_once_more_and_then_refused(movielens, get, server, tmp_path):
    server.answers.files[ZIP + ".md5"] = b"0" * 32
    with pytest.raises(CollectError, match=r"came twice with checksum .* where 0{32} is published"):
        get()
    assert server.answers.paths()[ZIP] == 2
    assert not list(tmp_path.glob("ml-1m.zip*"))


def test_a_length_that_is_too_small_is_found_by_the_checksum(movielens, get, server, tmp_path):
    def short(handler, answers):
        handler.send(200, movielens, {"Content-Length": "5000"})
        handler.close_connection = True

    server.answers.then(ZIP, short)
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens


def test_without_a_published_checksum_the_archive_speaks_for_itself(movielens, get, server, tmp_path):
    del server.answers.files[ZIP + ".md5"]
    server.answers.files[ZIP] = movielens[:-2000]
    with pytest.raises(CollectError, match="damaged"):
        get()
    assert not (tmp_path / "ml-1m.zip").exists()


def test_a_busy_server_is_waited_for_as_long_as_it_asks(movielens, get, server, time):
    server.answers.then(ZIP, status(429, Retry_After="7"), status(500), status(503))
    get()
    assert time.slept == [7.0, 2.0, 4.0]


def test_waits_double_and_end_at_the_longest(http):
    from irisrec.data.collect.http import FetchError

    failure = FetchError("status_503", "busy", passing=True)
    waits = [wait_before(attempt, failure, HttpSettings(longest_wait=5)) for attempt in range(1, 6)]
    assert waits == [1, 2, 4, 5, 5]
    asks = FetchError("status_429", "busy", passing=True, wait=3600)
    assert wait_before(1, asks, HttpSettings(longest_wait=5)) == 5


def test_a_silent_server_is_a_timeout_and_tried_again(movielens, get, server, time, tmp_path):
    def silent(handler, answers):
        real_time.sleep(0.6)
        handler.close_connection = True

    server.answers.then(ZIP, silent)
    get()
    assert time.slept == [1.0]


def test_redirects_are_followed_and_loops_are_ended(movielens, get, server, tmp_path):
    server.answers.then(ZIP, status(302, Location="/elsewhere.zip"))
    server.answers.files["/elsewhere.zip"] = movielens
    get()
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens
    (tmp_path / "ml-1m.zip").unlink()
    server.answers.then(ZIP, *[status(302, Location=ZIP)] * 20)
    with pytest.raises(CollectError, match="more than 5 redirects"):
        get()


def test_a_redirect_to_another_scheme_is_refused(movielens, get, server):
    server.answers.then(ZIP, status(302, Location="file:///etc/passwd"))
    with pytest.raises(CollectError, match=r"file: is not http or https|not an address"):
        get()


def test_a_missing_file_is_one_sentence_without_tries(get, server, time):
    with pytest.raises(
        CollectError, match=r"ml-1m.zip could not be fetched: 127.0.0.1 answered 404"
    ) as error:
        get()
    assert "\n" not in str(error.value)
    assert time.slept == []


def test_the_second_address_is_used_where_the_first_fails(server, http, time, tmp_path, monkeypatch):
    import irisrec.data.collect.published as published

    monkeypatch.setattr(published, "AMAZON_2014", (server.url + "/down", server.url + "/lab"))
    for name in ("reviews_Baby_5.json.gz", "meta_Baby.json.gz"):
        server.answers.files[f"/lab/categoryFiles/{name}"] = gzip.compress(b"{}\n")
    paths = download("amazon-2014:baby", tmp_path, http=http, sleep=time.sleep, unpack=True)
    assert [path.name for path in paths] == ["reviews_Baby_5.json", "meta_Baby.json"]


def test_a_base_address_comes_from_the_environment_too(movielens, server, http, time, tmp_path, monkeypatch):
    monkeypatch.setenv("IRISREC_GROUPLENS_URL", server.url + "/")
    assert download("movielens-1m", tmp_path, http=http, sleep=time.sleep)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("movielens-1n", "did you mean 'movielens-1m'"),
        ("amazon-2014", "needs a category"),
        ("amazon-2014:Clothing", "did you mean 'Clothing_Shoes_and_Jewelry'"),
        ("amazon-2023:zzz", "known: All_Beauty"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(name, sentence):
    with pytest.raises(ConfigError, match=sentence):
        find(name)


def test_categories_are_found_in_any_spelling():
    files = find("amazon-2014:Clothing, Shoes & Jewelry", image_features=True).files
    assert [file.name for file in files] == [
        "reviews_Clothing_Shoes_and_Jewelry_5.json.gz",
        "meta_Clothing_Shoes_and_Jewelry.json.gz",
        "image_features_Clothing_Shoes_and_Jewelry.b",
    ]


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "a\\..\\out.txt"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path, name):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("fine.txt", "x")
        opened.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(CollectError, match="outside the folder"):
        unzip(path, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_links_bombs_and_damaged_archives_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(CollectError, match="a link"):
        unzip(path, tmp_path / "to")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("zeros", bytes(3_000_000))
    with pytest.raises(CollectError, match="would unpack to 1 file of 3,000,000 bytes"):
        unzip(path, tmp_path / "to", max_bytes=1_000_000)
    path.write_bytes(b"<html>not a zip</html>")
    with pytest.raises(CollectError, match="not a zip file"):
        unzip(path, tmp_path / "to")


def test_gzip_is_unpacked_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"x" * 100_000))
    assert gunzip(path, tmp_path / "a.json").read_bytes() == b"x" * 100_000
    with pytest.raises(CollectError, match="more than 1,000 bytes"):
        gunzip(path, tmp_path / "b.json", max_bytes=1_000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CollectError, match="not a whole gzip file"):
        gunzip(path, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


def test_two_runs_into_one_folder_are_refused(tmp_path):
    alone = partial(only_one, tmp_path, "collecting into", CollectError)
    with alone(), pytest.raises(CollectError, match="another run is collecting into"), alone():
        pass


def test_it_works_where_a_loop_is_running_already(movielens, get):
    import asyncio

    async def notebook():
        return get()

    assert asyncio.run(notebook())


def test_a_killed_download_goes_on_where_it_was(movielens, get, server, tmp_path):
    def drips(handler, answers):
        tag = hashlib.md5(movielens).hexdigest()
        handler.send(200, movielens[:150_000], {"ETag": f'"{tag}"', "Content-Length": str(len(movielens))})
        handler.wfile.flush()
        real_time.sleep(20)

    server.answers.then(ZIP, drips)
    script = f"""
from pathlib import Path
from irisrec.data.collect.download import download
download("movielens-1m", Path({str(tmp_path)!r}), base_url={server.url!r})
"""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
    part = tmp_path / "ml-1m.zip.part"
    while not (part.exists() and part.stat().st_size > 50_000) and process.poll() is None:
        real_time.sleep(0.01)
    process.kill()
    process.wait()
    left = part.stat().st_size
    assert 50_000 < left <= 150_000
    get()
    assert server.answers.asked[-1][1]["Range"] == f"bytes={left}-"
    assert (tmp_path / "ml-1m.zip").read_bytes() == movielens
