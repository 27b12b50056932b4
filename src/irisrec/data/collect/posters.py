"""``irisrec collect omdb``: posters and plots for MovieLens, as far as a key's daily limit goes, and on from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, SecretStr

from irisrec.data.collect.films import Movie, read_movies
from irisrec.data.collect.http import Clock, FetchError, HttpSettings, Pace, Sleep, new_client, run
from irisrec.data.collect.journal import Journal
from irisrec.data.collect.matching import Match, key_of, match_in, value_of
from irisrec.data.collect.omdb import BASE_URL, LimitReachedError, Omdb, key_kept_out_of_logs
from irisrec.data.collect.omdb_report import OmdbReport, report_on, write_plots
from irisrec.data.collect.picture_report import PictureReport
from irisrec.data.collect.pictures import PictureSettings, collect_pictures
from irisrec.errors import CollectError, ConfigError, count_of
from irisrec.files import atomic_path, write_json
from irisrec.lock import only_one
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
    per_second: float = Field(default=5.0, gt=0)
    failures: int = Field(default=5, ge=1)
    http: HttpSettings = HttpSettings()
    pictures: PictureSettings = PictureSettings()


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
    with (
        only_one(to, "collecting into", CollectError),
        Journal(to / JOURNAL) as journal,
        key_kept_out_of_logs(secret),
    ):
        asked, stopped = run(_ask_all(movies, journal, secret, settings, sleep, clock))
        matches = [match_in(journal, movie) for movie in movies]
    pictures = _posters(movies, matches, to, settings, sleep, clock) if posters else None
    write_plots(movies, matches, pictures, to)
    report = report_on(movies, matches, pictures, asked, stopped)
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
        journal.add(key_of(question), await omdb.ask(question))


def _posters(
    movies: Sequence[Movie],
    matches: Sequence[Match],
    to: Path,
    settings: OmdbSettings,
    sleep: Sleep,
    clock: Clock,
) -> PictureReport | None:
    pairs = zip(movies, matches, strict=True)
    wanted = [(movie.movie_id, url) for movie, match in pairs if (url := value_of(match, "Poster"))]
    if not wanted:
        return None
    return collect_pictures(wanted, to / "posters", settings.pictures, sleep=sleep, clock=clock)
