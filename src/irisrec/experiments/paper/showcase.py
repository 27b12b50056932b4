"""A trained model asked for recommendations, with the posters of the user's data folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from irisrec.errors import DataError, FeatureError
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.features.pictures import decode, quiet_pillow, read_bytes
from irisrec.ids import Id
from irisrec.recommendation.known import KnownUsers
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.results import Recommendation

POSTER = 220  # pixels of the longer side


@dataclass(frozen=True)
class Showcase:
    """Recommends from training items alone, as the report of a run does.

    Attributes:
        folder: of a finished run whose model gives reasons.
    """

    folder: RunFolder

    @cached_property
    def run(self) -> FinishedRun:
        """The whole run."""
        return FinishedRun.load(self.folder)

    @cached_property
    def _recommender(self) -> Recommender:
        return Recommender(
            self.run.model, self.run.catalog, KnownUsers.of_matrix(self.run.users, self.run.split.train)
        )

    def user(self, wanted: int, place: int = 0) -> tuple[Id, str]:
        """Return the user whom the paper shows, or another one and a sentence that says so.

        Args:
            wanted: id in the paper.
            place: who is shown where the data have no such user: the first, second, … with history enough.
        """
        try:
            return self.run.users.ids(self.run.users.index([self.run.users.parse(str(wanted))]))[0], ""
        except DataError:
            lengths = np.diff(self.run.split.train.indptr)
            fit = np.flatnonzero(lengths >= min(6, lengths.max()))
            user = self.run.users.ids([fit[min(place, len(fit) - 1)]])[0]
            return user, f"The data have no user {wanted}: shown is user {user}, chosen by place alone."

    def recommend(self, user: Id, k: int) -> list[Recommendation]:
        """Return the first k recommendations, the history items of each by relevance, the highest first."""
        found = self._recommender.recommend(user, k=k, n_reasons=len(self.run.catalog))
        return [
            replace(one, because=tuple(sorted(one.because, key=lambda reason: -reason.relevance)))
            for one in found
        ]

    def poster(self, item: Id) -> Any:
        """Return a picture of at most `POSTER` pixels, None where there is none or it cannot be read."""
        row = int(self._recommender.items.index([item])[0])
        picture = self.run.catalog.pictures[row]
        if not picture:
            return None
        try:
            with quiet_pillow():
                small = decode(read_bytes(picture, self.run.config.data.root), at_least=POSTER)
        except FeatureError:
            return None
        small.thumbnail((POSTER, POSTER))
        return small

    def show(self, axes: Any, item: Id, lines: Sequence[str], frame: str | None = None) -> None:
        """Draw a poster, or a grey tile, with lines below it."""
        picture = self.poster(item)
        if picture is None:
            axes.set_facecolor("#e4e4e4")
            axes.set_aspect(1.4)
            axes.text(0.5, 0.5, "no picture", ha="center", va="center", fontsize=7, color="#777777")
        else:
            axes.imshow(picture)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(frame is not None)
            spine.set_edgecolor(frame or "none")
            spine.set_linewidth(2)
        axes.set_xlabel("\n".join(lines), fontsize=7)


def short(title: str, width: int = 24) -> str:
    """Break a title into lines that fit below a poster, three at most."""
    from textwrap import shorten, wrap

    # a dollar sign would begin a formula
    return "\n".join(wrap(shorten(title, 3 * width, placeholder=" …"), width)).replace("$", r"\$")
