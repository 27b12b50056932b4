"""What a collection from OMDb leaves behind: plots, misses, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.data.collect.films import Movie
from irisrec.data.collect.matching import Match, value_of
from irisrec.data.collect.picture_report import PictureReport
from irisrec.errors import count_of
from irisrec.files import atomic_path


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


def write_plots(
    movies: Sequence[Movie], matches: Sequence[Match], pictures: PictureReport | None, to: Path
) -> None:
    """Write ``plots.csv``, one row per movie with a film, as the source "movielens" reads it."""
    files = dict(pictures.frame.select("item_id", "picture").iter_rows()) if pictures else {}
    rows = [
        {
            "movieId": movie.movie_id,
            "year": movie.film.year,
            "plot": (plot := value_of(match, "Plot")),
            "plot_source": "omdb" if plot else None,
            "director": value_of(match, "Director"),
            "actors": value_of(match, "Actors"),
            "imdb_id": value_of(match, "imdbID"),
            "poster": f"posters/{name}" if (name := files.get(movie.movie_id)) else None,
        }
        for movie, match in zip(movies, matches, strict=True)
        if match.record is not None
    ]
    strings = ("plot", "plot_source", "director", "actors", "imdb_id", "poster")
    schema = {"movieId": pl.Int64, "year": pl.Int64} | dict.fromkeys(strings, pl.String)
    with atomic_path(to / "plots.csv") as temporary:
        pl.DataFrame(rows, schema).write_csv(temporary)


def report_on(
    movies: Sequence[Movie],
    matches: Sequence[Match],
    pictures: PictureReport | None,
    asked: int,
    stopped: str | None,
) -> OmdbReport:
    """Count how far the collection has come."""
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
        plots=sum(value_of(match, "Plot") is not None for match in matches),
        poster_addresses=sum(value_of(match, "Poster") is not None for match in matches),
        posters=int(pictures.frame["picture"].is_not_null().sum()) if pictures else 0,
        asked=asked,
        stopped=stopped,
        misses=pl.DataFrame(misses, schema, orient="row"),
    )
