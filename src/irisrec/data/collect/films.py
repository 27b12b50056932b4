"""Which OMDb film is which MovieLens movie: the questions worth asking, and the answers worth believing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.collect.titles import Film, near_year, same_title
from irisrec.errors import DataError

Question = dict[str, str]
FOLDERS = (".", "ml-1m", "ml-latest-small", "ml-latest", "ml-20m", "ml-25m", "ml-32m")


@dataclass(frozen=True)
class Movie:
    """A row of a MovieLens movies file.

    Attributes:
        movie_id: MovieLens' own number.
        title: as the file has it.
        imdb_id: with its ``tt``, where ``links.csv`` has one.
    """

    movie_id: int
    title: str
    imdb_id: str | None = None

    @property
    def film(self) -> Film:
        """The title taken apart."""
        return Film.parse(self.title)


def read_movies(folder: Path) -> list[Movie]:
    """Read ``movies.dat`` (1M) or ``movies.csv`` with ``links.csv`` (latest), here or in the archive's own folder."""
    folder = Path(folder).expanduser()
    for name in FOLDERS:
        if (path := folder / name / "movies.dat").is_file():
            return _from_dat(path)
        if (path := folder / name / "movies.csv").is_file():
            return _from_csv(path)
    raise DataError(
        f"{folder} holds no movies.dat and no movies.csv; `irisrec download movielens-1m` fetches them"
    )


def _from_dat(path: Path) -> list[Movie]:
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    movies = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split("::")
        if line.strip() and (len(parts) != 3 or not parts[0].isdigit()):
            raise DataError(f"{path} line {number} is not movieId::title::genres, got {line[:80]!r}")
        if line.strip():
            movies.append(Movie(int(parts[0]), parts[1]))
    return movies


def _from_csv(path: Path) -> list[Movie]:
    try:
        frame = pl.read_csv(path, columns=["movieId", "title"], schema_overrides={"movieId": pl.Int64})
        links = path.with_name("links.csv")
        known: dict[int, str] = {}
        if links.is_file():
            pairs = pl.read_csv(links, columns=["movieId", "imdbId"], schema_overrides={"imdbId": pl.String})
            known = {id: f"tt{imdb:0>7}" for id, imdb in pairs.drop_nulls().iter_rows()}
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path.parent} has no movies.csv and links.csv that can be read: {error}") from None
    return [Movie(id, title, known.get(id)) for id, title in frame.iter_rows()]


def questions(movie: Movie) -> Iterator[Question]:
    """Give the questions for a movie, the most certain first: by IMDb id, by names with the year, then without.

    Without the year OMDb answers with its best-known film of that name, which ``mismatch`` judges; so one question
    covers the years on both sides. The years beside are asked for by name last.
    """
    if movie.imdb_id:
        yield {"i": movie.imdb_id}
        return
    film = movie.film
    names = film.names[:3]
    if film.year is None:
        yield from ({"t": name, "type": "movie"} for name in names)
        return
    yield from ({"t": name, "y": str(film.year), "type": "movie"} for name in names)
    yield from ({"t": name} for name in names)
    yield from ({"t": names[0], "y": str(film.year + apart), "type": "movie"} for apart in (1, -1))


def mismatch(movie: Movie, question: Question, record: dict[str, Any]) -> str | None:
    """Say why an answered film is not the movie asked for; None where it is."""
    film, title, year = movie.film, str(record.get("Title", "")), str(record.get("Year", ""))
    if "i" in question:
        return None
    if not any(same_title(name, title) for name in film.names):
        return f"OMDb answered with {title!r} ({year})"
    if not near_year(film.year, year):
        return f"OMDb's {title!r} is of {year}"
    return None
