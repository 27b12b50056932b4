"""The course of a study as a picture: the best value by trial, and the values over every option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from irisrec.experiments.plotting import log_axis, save
from irisrec.experiments.reporting.words import model_in_words
from irisrec.experiments.tuning.space import SPACES, Numbers
from irisrec.experiments.tuning.study import OBJECTIVE
from irisrec.files import atomic_path

COLUMNS = 4
JUDGED, GIVEN_UP, BEST = "#355e8d", "#b9c3ce", "#c2571a"


def draw_study(frame: pl.DataFrame, model: str, path: Path) -> None:
    """Draw the trials of `Study.frame` to a PNG: by number, then over each option; the best one is ringed."""
    from matplotlib.figure import Figure

    options = [name for name in frame.columns if "." in name]
    n_columns = min(COLUMNS, 1 + len(options))
    n_rows = -(-(1 + len(options)) // n_columns)
    figure = Figure(figsize=(2.9 * n_columns + 0.6, 2.4 * n_rows + 0.5), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    _course(grid.flat[0], frame)
    for axes, option in zip(grid.flat[1:], options, strict=False):
        _over(axes, frame, option, SPACES.get(model, {}).get(option))
    for axes in grid.flat[1 + len(options) :]:
        axes.set_visible(False)
    figure.supylabel(OBJECTIVE.replace("ndcg", "NDCG"), fontsize=9)
    figure.suptitle(f"{model_in_words(model)}: {len(frame)} trials, all items ranked", fontsize=10)
    with atomic_path(path) as temporary:
        save(figure, temporary)


def _course(axes: Any, frame: pl.DataFrame) -> None:
    judged = np.where(frame["outcome"] == "judged", frame[OBJECTIVE], np.nan)
    axes.step(frame["trial"], np.fmax.accumulate(judged), where="post", color=BEST, linewidth=1)
    _points(axes, frame["trial"].to_numpy(), frame)
    axes.set_xlabel("trial (line: best so far)", fontsize=8)


def _over(axes: Any, frame: pl.DataFrame, option: str, range_: Any) -> None:
    values = frame[option]
    if isinstance(range_, Numbers):
        places = values.to_numpy()
        if range_.log:
            log_axis(axes, range_.low, range_.high)
    else:
        names = sorted({str(value).lower() for value in values})
        places = np.array([names.index(str(value).lower()) for value in values])
        axes.set_xticks(range(len(names)), names)
    _points(axes, places, frame)
    axes.set_xlabel(option, fontsize=8)


def _points(axes: Any, places: Any, frame: pl.DataFrame) -> None:
    values = frame[OBJECTIVE].to_numpy()
    judged = (frame["outcome"] == "judged").to_numpy()
    axes.scatter(places[~judged], values[~judged], s=14, color=GIVEN_UP)
    axes.scatter(places[judged], values[judged], s=14, color=JUDGED)
    if judged.any():
        best = int(np.where(judged, values, -1.0).argmax())
        axes.scatter(places[best], values[best], s=70, facecolors="none", edgecolors=BEST)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
