"""Tables VII to IX: what one user is recommended, and the history items of highest relevance, with posters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import polars as pl

from irisrec.experiments.markdown import table
from irisrec.experiments.paper import facts
from irisrec.experiments.paper.chart import OURS, PAPER
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.measuring import WHOLE
from irisrec.experiments.paper.methods import METHODS
from irisrec.experiments.paper.numbers import Spec, paper
from irisrec.experiments.paper.showcase import Showcase, short
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Workshop
from irisrec.experiments.plotting import save
from irisrec.recommendation.results import Recommendation

N_ITEMS, N_REASONS = 3, 3


def reasons(stem: str, spec: Spec, source: Source, workshop: Workshop) -> Exhibit:
    """Recommend to one user with Multimodal IRIS, and say which history items count most for each item."""
    measured = workshop.measure(source, METHODS[WHOLE])
    showcase = Showcase(measured.folders[0])
    place = [s["user"] for s in paper().values() if s["kind"] == "reasons"].index(spec["user"])
    user, remark = showcase.user(spec["user"], place)
    found = showcase.recommend(user, N_ITEMS)
    return Exhibit(
        stem,
        f"{spec['title']}, {facts.mode_in_words(workshop.mode)}",
        _body(spec, found),
        {
            "How to read it": [*([remark] if remark else []), *reading(showcase)],
            **facts.about(source, workshop, {WHOLE: measured}),
        },
        _rows(found),
        partial(_draw, showcase, f"user {user}", found),
    )


def reading(showcase: Showcase) -> list[str]:
    """Say what the numbers of the exhibit are."""
    return [
        "Recommended is what the user does not have among the training items; held-out items are candidates.",
        "The probability is the sigmoid of the score, the relevance a_ij of equations (4) and (6); with "
        f"β = {showcase.run.config.model.beta:g} in the exponent of the denominator relevances need not sum to 1.",
    ]


def _body(spec: Spec, found: Sequence[Recommendation]) -> str:
    numbers = range(1, N_REASONS + 1)
    header = ["recommended", *(f"history item {number}" for number in numbers)]
    ours = [
        [
            f"{one.title} ({_plain(one.probability)})",
            *(f"{reason.title} ({_plain(reason.relevance)})" for reason in one.because[:N_REASONS]),
        ]
        for one in found
    ]
    theirs = [
        [f"{row['title']} ({row['probability']:.3f})", *(f"{title} ({a:.3f})" for title, a in row["because"])]
        for row in spec["rows"]
    ]
    filled = [line + [""] * (len(header) - len(line)) for line in ours]
    return "\n\n".join(["## Ours", table(header, *filled), "## In the paper", table(header, *theirs)])


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _rows(found: Sequence[Recommendation]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "place": place,
                "item_id": one.item_id,
                "title": one.title,
                "probability": one.probability,
                "reason": number,
                "history_item_id": reason.item_id,
                "history_title": reason.title,
                "relevance": reason.relevance,
                "contribution": reason.contribution,
            }
            for place, one in enumerate(found, 1)
            for number, reason in enumerate(one.because[:N_REASONS], 1)
        ]
    )


def _draw(showcase: Showcase, user: str, found: Sequence[Recommendation], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * (1 + N_REASONS) + 0.4, 2.9 * len(found) + 0.5), layout="constrained")
    grid = figure.subplots(len(found), 1 + N_REASONS, squeeze=False)
    for line, one in zip(grid, found, strict=True):
        showcase.show(
            line[0], one.item_id, [short(one.title), f"probability {_plain(one.probability)}"], PAPER
        )
        for axes, reason in zip(line[1:], one.because[:N_REASONS], strict=False):
            words = [short(reason.title), f"relevance {reason.relevance:.3f}"]
            showcase.show(axes, reason.item_id, words, OURS)
        for axes in line[1 + len(one.because[:N_REASONS]) :]:
            axes.set_visible(False)
    figure.suptitle(f"{user}: recommended, and the history items of highest relevance", fontsize=10)
    save(figure, path)
