"""``irisrec collect omdb``: posters and plots for MovieLens, as far as a key's daily limit goes, and on from there."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import SecretStr

from irisrec.data.collect.films import Movie, Question, mismatch, questions, read_movies
from irisrec.data.collect.http import Clock, FetchError, HttpSettings, Pace, Sleep, new_client, run
from irisrec.data.collect.journal import Journal
from irisrec.data.collect.lock import only_one
from irisrec.data.collect.omdb import BASE_URL, LimitReachedError, Omdb, key_kept_out_of_logs
from irisrec.data.collect.pictures import PictureReport, PictureSettings, collect_pictures
from irisrec.errors import ConfigError, count_of
from irisrec.files import atomic_path, write_json
from irisrec.progress import progress
from irisrec.settings import Settings

JOURNAL = "omdb.jsonl"


class OmdbSettings(Settings):
    """How the API is asked.

    Attributes:
        base_url: the address of the API.
        per_second: requests per second.
        failures: after so many movies in a row without an answer the run ends.
        http: timeouts and tries.
        pictures: how the posters are fetched.
    """

    base_url: str = BASE_URL
    per_second: float = 5.0
    failures: int = 5
    http: HttpSettings = HttpSettings()
    pictures: PictureSettings = PictureSettings()


@dataclass(frozen=True)
class OmdbReport:
    """How far the collection has come.

    Attributes:
        movies: movies in the data set.
        found, missed, open: with a film at OMDb, definitely without, and not answered yet.
        plots: found movies with a plot.
        posters: movies with a poster file now; ``poster_addresses``: those for which OMDb names one.
        asked: requests to the API in this run.
        stopped: why the run ended early, for a person; None where it went through.
        misses: one row per movie that was not found: ``movieId``, ``title``, ``year``, ``reason``.
    """

    movies: int
    found: int
    missed: int
    open: int
    plots: int
    poster_addresses: int
    posters: int
    asked: int
    stopped: str | None
    misses: pl.DataFrame

    def __str__(self) -> str:
        lines = [
            f"{self.found:,} of {count_of(self.movies, 'movie')} found ({self.found / self.movies:.1%}), "
            f"{self.missed:,} not at OMDb, {self.open:,} not answered yet; "
            f"{count_of(self.plots, 'plot')}, {count_of(self.posters, 'poster')} "
            f"of {self.poster_addresses:,} with an address; {count_of(self.asked, 'request')} in this run"
        ]
        if self.stopped:
            lines.append(f"{self.stopped}; run the same command again to go on from here")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {name: value for name, value in vars(self).items() if name != "misses"}


@dataclass(frozen=True)
class _Match:
    """What the journal says of one movie: its film, or why there is none, or that a question is open."""

    record: dict[str, Any] | None = None
    reason: str | None = None
    open: Question | None = None


def collect_omdb(
    data: Path,
    to: Path,
    key: str | SecretStr | None,
    settings: OmdbSettings | None = None,
    *,
    posters: bool = True,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.monotonic,
) -> OmdbReport:
    """Collect plots and posters for the movies of a MovieLens folder.

    Every answer of the API, films and definite misses alike, is kept in ``omdb.jsonl``; what is there is never asked
    for again. ``plots.csv`` (movieId, year, plot, plot_source, director, actors, imdb_id, poster), ``posters/``,
    ``misses.csv`` and ``omdb-report.json`` are written from it, also when the run ends early.

    Raises:
        ConfigError: no key.
        CollectError: the key is not accepted.
    """
    secret = SecretStr(key) if isinstance(key, str) else key
    if secret is None or not secret.get_secret_value().strip():
        raise ConfigError(
            "OMDb needs an API key: set OMDB_API_KEY (free keys: https://www.omdbapi.com/apikey.aspx)"
        )
    settings, movies, to = settings or OmdbSettings(), read_movies(data), Path(to)
    with only_one(to), Journal(to / JOURNAL) as journal, key_kept_out_of_logs(secret):
        asked, stopped = run(_ask_all(movies, journal, secret, settings, sleep, clock))
        matches = [match_in(journal, movie) for movie in movies]
    pictures = _posters(movies, matches, to, settings, sleep, clock) if posters else None
    _write_plots(movies, matches, pictures, to)
    report = _report(movies, matches, pictures, asked, stopped)
    with atomic_path(to / "misses.csv") as temporary:
        report.misses.write_csv(temporary)
    write_json(to / "omdb-report.json", report.to_json())
    return report


async def _ask_all(
    movies: Sequence[Movie],
    journal: Journal,
    key: SecretStr,
    settings: OmdbSettings,
    sleep: Sleep,
    clock: Clock,
) -> tuple[int, str | None]:
    """Ask what is open; return the requests made and why they ended early."""
    failing, stopped = 0, None
    async with new_client(settings.http) as client:
        pace = Pace(settings.per_second, sleep, clock)
        omdb = Omdb(client, key, settings.http, pace, base_url=settings.base_url, sleep=sleep)
        with progress("movies", len(movies)) as task:
            for movie in movies:
                try:
                    await _ask_about(movie, journal, omdb)
                    failing = 0
                except FetchError as failure:
                    failing += 1
                    if failing >= settings.failures:
                        stopped = f"stopped after {count_of(failing, 'movie')} in a row without an answer: {failure}"
                except LimitReachedError:
                    stopped = "stopped: the key's daily limit at OMDb is reached, it begins anew tomorrow"
                if stopped:
                    break
                task.advance()
    return omdb.asked, stopped


async def _ask_about(movie: Movie, journal: Journal, omdb: Omdb) -> None:
    while (question := match_in(journal, movie).open) is not None:
        journal.add(_key(question), await omdb.ask(question))


def match_in(journal: Journal, movie: Movie) -> _Match:
    """Find a movie's film among the answers so far, or the next question to ask."""
    reason = "OMDb does not know the title"
    for question in questions(movie):
        if _key(question) not in journal:
            return _Match(open=question)
        record = journal[_key(question)]
        if record is None:
            continue
        wrong = mismatch(movie, question, record)
        if wrong is None:
            return _Match(record=record)
        reason = wrong
    return _Match(reason=reason)


def _key(question: Question) -> str:
    return json.dumps(question, sort_keys=True, ensure_ascii=False)


def _value(match: _Match, name: str) -> str | None:
    """A field of the film; OMDb writes N/A where it has nothing."""
    value = (match.record or {}).get(name)
    return value if value and value != "N/A" else None


def _posters(
    movies: Sequence[Movie],
    matches: Sequence[_Match],
    to: Path,
    settings: OmdbSettings,
    sleep: Sleep,
    clock: Clock,
) -> PictureReport | None:
    pairs = zip(movies, matches, strict=True)
    wanted = [(movie.movie_id, url) for movie, match in pairs if (url := _value(match, "Poster"))]
    if not wanted:
        return None
    return collect_pictures(wanted, to / "posters", settings.pictures, sleep=sleep, clock=clock)


def _write_plots(
    movies: Sequence[Movie], matches: Sequence[_Match], pictures: PictureReport | None, to: Path
) -> None:
    files = dict(pictures.frame.select("item_id", "picture").iter_rows()) if pictures else {}
    rows = [
        {
            "movieId": movie.movie_id,
            "year": movie.film.year,
            "plot": (plot := _value(match, "Plot")),
            "plot_source": "omdb" if plot else None,
            "director": _value(match, "Director"),
            "actors": _value(match, "Actors"),
            "imdb_id": _value(match, "imdbID"),
            "poster": f"posters/{name}" if (name := files.get(movie.movie_id)) else None,
        }
        for movie, match in zip(movies, matches, strict=True)
        if match.record is not None
    ]
    strings = ("plot", "plot_source", "director", "actors", "imdb_id", "poster")
    schema = {"movieId": pl.Int64, "year": pl.Int64} | dict.fromkeys(strings, pl.String)
    with atomic_path(to / "plots.csv") as temporary:
        pl.DataFrame(rows, schema).write_csv(temporary)


def _report(
    movies: Sequence[Movie],
    matches: Sequence[_Match],
    pictures: PictureReport | None,
    asked: int,
    stopped: str | None,
) -> OmdbReport:
    states = Counter("open" if m.open else "found" if m.record else "missed" for m in matches)
    misses = [
        (movie.movie_id, movie.title, movie.film.year, match.reason)
        for movie, match in zip(movies, matches, strict=True)
        if match.reason
    ]
    schema = {"movieId": pl.Int64, "title": pl.String, "year": pl.Int64, "reason": pl.String}
    return OmdbReport(
        movies=len(movies),
        found=states["found"],
        missed=states["missed"],
        open=states["open"],
        plots=sum(_value(match, "Plot") is not None for match in matches),
        poster_addresses=sum(_value(match, "Poster") is not None for match in matches),
        posters=int(pictures.frame["picture"].is_not_null().sum()) if pictures else 0,
        asked=asked,
        stopped=stopped,
        misses=pl.DataFrame(misses, schema, orient="row"),
    )
