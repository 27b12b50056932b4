"""Figure 1: one history, several targets, and how relevant each history item is for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from irisrec.experiments.markdown import table
from irisrec.experiments.paper import facts
from irisrec.experiments.paper.chart import OURS, PAPER
from irisrec.experiments.paper.exhibit import Exhibit
from irisrec.experiments.paper.measuring import WHOLE
from irisrec.experiments.paper.methods import METHODS
from irisrec.experiments.paper.numbers import Spec
from irisrec.experiments.paper.reasons import reading
from irisrec.experiments.paper.showcase import Showcase, short
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Workshop
from irisrec.experiments.plotting import save
from irisrec.ids import Id
from irisrec.recommendation.results import Recommendation

N_TARGETS, N_HISTORY = 5, 6


def relevance(stem: str, spec: Spec, source: Source, workshop: Workshop) -> Exhibit:
    """Show the relevance of a user's six most relevant history items for the first five recommendations."""
    measured = workshop.measure(source, METHODS[WHOLE])
    showcase = Showcase(measured.folders[0])
    user, remark = showcase.user(spec["user"])
    found = showcase.recommend(user, N_TARGETS)
    rows = _rows(found)
    chosen = (
        f"The paper does not say whose history its figure shows. Here it is that of user {user}; the targets are the "
        f"first {len(found)} recommendations, the history items those of highest relevance, summed over the targets."
    )
    return Exhibit(
        stem,
        f"{spec['title']}, {facts.mode_in_words(workshop.mode)}",
        _body(rows),
        {
            "How to read it": [chosen, *([remark] if remark else []), *reading(showcase)],
            **facts.about(source, workshop, {WHOLE: measured}),
        },
        rows,
        partial(_draw, showcase, rows),
    )


def _rows(found: Sequence[Recommendation]) -> pl.DataFrame:
    """Return one row per target and history item."""
    total: defaultdict[Id, float] = defaultdict(float)
    for one in found:
        for reason in one.because:
            total[reason.item_id] += reason.relevance
    kept = sorted(total, key=lambda item: -total[item])[:N_HISTORY]
    return pl.DataFrame(
        [
            {
                "target": place,
                "item_id": one.item_id,
                "title": one.title,
                "history_item_id": reason.item_id,
                "history_title": reason.title,
                "relevance": reason.relevance,
            }
            for place, one in enumerate(found, 1)
            for reason in sorted(
                (reason for reason in one.because if reason.item_id in kept),
                key=lambda reason: kept.index(reason.item_id),
            )
        ]
    )


def _body(rows: pl.DataFrame) -> str:
    targets = rows.unique("target", maintain_order=True)["title"].to_list()
    lines = [
        [str(title), *(f"{value:.3f}" for value in part["relevance"])]
        for (title, _), part in rows.group_by(["history_title", "history_item_id"], maintain_order=True)
    ]
    return table(["history item, and its relevance for", *targets], *lines)


def _draw(showcase: Showcase, rows: pl.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    parts = [part for _, part in rows.group_by("target", maintain_order=True)]
    history = parts[0]
    figure = Figure(figsize=(1.7 * max(len(parts), len(history)) + 0.4, 7.6), layout="constrained")
    outer: Any = figure.subfigures(3, 1, height_ratios=[2.6, 1.7, 2.6])
    highest = float(rows["relevance"].max() or 1.0)  # type: ignore[arg-type]
    for axes, part in zip(outer[0].subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        showcase.show(axes, part["item_id"][0], [short(part["title"][0])], PAPER)
    for axes, part in zip(outer[1].subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        axes.bar(range(1, len(part) + 1), part["relevance"], color=OURS, width=0.7)
        axes.set_ylim(0, 1.05 * highest)
        axes.set_xticks(range(1, len(part) + 1))
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    outer[1].supylabel("relevance", fontsize=8)
    for number, (axes, row) in enumerate(
        zip(outer[2].subplots(1, len(history), squeeze=False)[0], history.iter_rows(named=True), strict=True),
        1,
    ):
        showcase.show(axes, row["history_item_id"], [f"{number}. {short(row['history_title'])}"], OURS)
    save(figure, path)
