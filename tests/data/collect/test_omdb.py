import json
import logging
import os
import signal
import subprocess
import sys
import time as real_time

import polars as pl
import pytest

from irisrec.data.collect.films import read_movies
from irisrec.data.collect.http import HttpSettings
from irisrec.data.collect.pictures import PictureSettings
from irisrec.data.collect.posters import OmdbSettings, collect_omdb
from irisrec.errors import CollectError, ConfigError, DataError
from tests.data.collect.server import picture, status
from tests.real import real_data

KEY = "s3cretkey"
MOVIES = """1::Matrix, The (1999)::Action
2::City of Lost Children, The (Cité des enfants perdus, La) (1995)::Fantasy
3::Never Made (1970)::Drama
4::Late One (1997)::Drama
5::Wrong Answer (1980)::Drama
"""


class Films:
    """OMDb as it behaves: one film by exact title and year, or the best known one of that title."""

    def __init__(self, url: str) -> None:
        self.url, self.left, self.by_id = url, 10_000, {}
        self.films = [
            self.film("The Matrix", "1999"),
            self.film("La Cité des enfants perdus", "1995"),
            self.film("Late One", "1998", Poster="N/A"),
            self.film("Wrong Answer and More of It", "1980"),
        ]
        self.fuzzy = {"Wrong Answer": "Wrong Answer and More of It"}

    def film(self, title: str, year: str, **more: str) -> dict[str, str]:
        poster = f"{self.url}/posters/{title.replace(' ', '_')}.jpg"
        film = {"Title": title, "Year": year, "Plot": f"A plot of {title}, “quoted”.", "Poster": poster}
        return {"Response": "True", "imdbID": "tt1", "Actors": "N/A", **film, **more}

    def __call__(self, handler, query: dict[str, list[str]]) -> None:
        query = {name: values[0] for name, values in query.items()}
        if query["apikey"] != KEY:
            self.say(handler, 401, Error="Invalid API key!")
        elif self.left <= 0:
            self.say(handler, 401, Error="Request limit reached!")
        else:
            self.left -= 1
            found = [self.by_id[query["i"]]] if query.get("i") in self.by_id else []
            title = self.fuzzy.get(query.get("t"), query.get("t"))
            found += [f for f in self.films if f["Title"] == title and query.get("y", f["Year"]) == f["Year"]]
            self.say(handler, 200, **found[0]) if found else self.say(handler, 200, Error="Movie not found!")

    def say(self, handler, code: int, **answer: str) -> None:
        handler.send(code, json.dumps({"Response": "False", **answer}).encode())


@pytest.fixture
def films(server):
    films = Films(server.url)
    server.answers.handlers["/"] = films
    for film in films.films:
        path = film["Poster"].removeprefix(server.url)
        server.answers.files[path.replace("é", "%C3%A9")] = picture()
    return films


@pytest.fixture
def collect(server, films, http, time, tmp_path):
    (tmp_path / "movies.dat").write_bytes(MOVIES.encode("latin-1"))
    settings = OmdbSettings(base_url=server.url + "/", http=http, pictures=PictureSettings(http=http))

    def collect(key=KEY, **more):
        return collect_omdb(tmp_path, tmp_path, key, settings, sleep=time.sleep, clock=time.clock)

    return collect


def test_plots_and_posters_are_collected_by_title_and_year(collect, tmp_path):
    report = collect()
    assert (report.movies, report.found, report.missed, report.open) == (5, 3, 2, 0)
    assert (report.plots, report.posters, report.poster_addresses) == (3, 2, 2)
    plots = pl.read_csv(tmp_path / "plots.csv")
    assert plots["movieId"].to_list() == [1, 2, 4]
    assert plots["plot"][1] == "A plot of La Cité des enfants perdus, “quoted”."
    assert plots["poster"].to_list() == ["posters/1.jpg", "posters/2.jpg", None]
    assert plots["actors"].to_list() == [None] * 3
    assert (tmp_path / "posters" / "1.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_misses_are_listed_with_their_reason(collect, tmp_path):
    collect()
    misses = pl.read_csv(tmp_path / "misses.csv")
    assert misses["movieId"].to_list() == [3, 5]
    assert misses["reason"].to_list() == [
        "OMDb does not know the title",
        "OMDb answered with 'Wrong Answer and More of It' (1980)",
    ]
    assert json.loads((tmp_path / "omdb-report.json").read_text())["found"] == 3


def test_nothing_is_asked_twice_neither_hits_nor_misses(collect, server):
    collect()
    before = len(server.answers.asked)
    report = collect()
    assert len(server.answers.asked) == before
    assert (report.asked, report.found, report.posters) == (0, 3, 2)


def test_the_daily_limit_ends_the_run_politely_and_the_next_one_goes_on(collect, films, tmp_path):
    films.left = 2
    report = collect()
    assert report.stopped is not None
    assert "daily limit" in str(report)
    assert "again to go on" in str(report)
    assert (report.found, report.open) == (1, 4)
    assert pl.read_csv(tmp_path / "plots.csv")["movieId"].to_list() == [1]
    films.left = 10_000
    report = collect()
    assert (report.found, report.open, report.stopped) == (3, 0, None)


def test_a_refused_key_is_one_sentence_without_the_key(collect, tmp_path):
    with pytest.raises(CollectError, match="does not accept the API key") as error:
        collect(key="wr0ngkey")
    assert "wr0ngkey" not in str(error.value)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_no_key_is_an_error_that_says_where_to_get_one(collect, key):
    with pytest.raises(ConfigError, match="OMDB_API_KEY"):
        collect(key=key)


def test_the_key_is_in_no_log_no_file_and_no_output(collect, server, tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    server.answers.then("/", status(500), status(401, b"not json"))
    with pytest.raises(CollectError) as error:
        collect()
    collect()
    assert "apikey=***" in caplog.text
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (caplog.text, str(capsys.readouterr()), repr(error.value), written.decode("latin-1")):
        assert KEY not in text


def test_passing_faults_are_tried_again_with_growing_waits(collect, server, time):
    not_json = status(200, b"<html>maintenance</html>")
    limited = status(429, Retry_After="9")
    server.answers.then("/", status(500), limited, not_json)
    assert collect().found == 3
    waits = [slept for slept in time.slept if slept > 0.5]
    assert waits == [1.0, 9.0, 4.0]


def test_silent_broken_and_redirected_answers_are_tried_again_and_the_key_goes_nowhere_else(
    collect, server, time
):
    def silent(handler, answers):
        real_time.sleep(0.6)
        handler.close_connection = True

    def too_short(handler, answers):
        handler.send(200, b'{"Response": "Tr', {"Content-Length": "900"})
        handler.close_connection = True

    server.answers.then("/", silent, too_short, status(302, Location="/elsewhere"))
    assert collect().found == 3
    assert [slept for slept in time.slept if slept > 0.5] == [1.0, 2.0, 4.0]
    assert "/elsewhere" not in server.answers.paths()


def test_requests_keep_their_pace(collect, time, server):
    collect()
    api = [path for path, _, _ in server.answers.asked if path == "/"]
    assert time.now - 1000.0 == pytest.approx(0.2 * (len(api) - 1))


def test_a_service_that_is_down_ends_the_run_and_forgets_nothing(collect, server):
    server.answers.then("/", *[status(503)] * 100)
    report = collect()
    assert "5 movies in a row without an answer" in report.stopped
    assert report.asked == 20
    server.answers.scripts.clear()
    assert collect().found == 3


def test_imdb_ids_from_links_are_used(server, films, http, time, tmp_path):
    (tmp_path / "movies.csv").write_text('movieId,title,genres\n7,"Other, The (1999)",Drama\n8,Odd,Drama\n')
    (tmp_path / "links.csv").write_text("movieId,imdbId,tmdbId\n7,0133093,603\n8,,\n")
    films.by_id["tt0133093"] = films.film("Whatever", "2001", Poster="N/A")
    settings = OmdbSettings(base_url=server.url + "/", http=http)
    report = collect_omdb(tmp_path, tmp_path / "out", KEY, settings, sleep=time.sleep, clock=time.clock)
    assert report.found == 1
    assert server.answers.asked[0][2]["i"] == ["tt0133093"]


def test_a_folder_without_movies_says_how_to_get_them(tmp_path):
    with pytest.raises(DataError, match="irisrec download movielens-1m"):
        read_movies(tmp_path)


def test_a_killed_run_goes_on_without_asking_again(server, films, tmp_path):
    lines = "".join(f"{i}::Film {i} (1990)::Drama\n" for i in range(1, 60))
    (tmp_path / "movies.dat").write_text(lines)
    films.films = [films.film(f"Film {i}", "1990", Poster="N/A") for i in range(1, 60)]
    script = f"""
from pathlib import Path
from irisrec.data.collect.posters import OmdbSettings, collect_omdb
print(collect_omdb(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), {KEY!r},
      OmdbSettings(base_url={server.url + "/"!r}, per_second=100)))
"""
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
    while len(server.answers.asked) < 10 and process.poll() is None:
        real_time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    answered = (tmp_path / "omdb.jsonl").read_bytes().count(b"\n")
    assert 0 < answered < 59
    settings = OmdbSettings(base_url=server.url + "/", per_second=1000, http=HttpSettings())
    report = collect_omdb(tmp_path, tmp_path, KEY, settings)
    assert (report.found, report.asked) == (59, 59 - answered)


@pytest.mark.real
def test_the_titles_of_movielens_1m_are_all_taken_apart():
    movies = read_movies(real_data("movielens-1m"))
    assert len(movies) == 3883
    assert all(movie.film.year and 1900 < movie.film.year < 2001 for movie in movies)
    assert sum(len(movie.film.names) > 1 for movie in movies) > 200
    assert not any(name.endswith(", The") for movie in movies for name in movie.film.names)
