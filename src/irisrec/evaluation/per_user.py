"""What is kept of an evaluation for later comparisons: every user's metrics, and what kind of user it was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from irisrec.data.splits import Split
from irisrec.evaluation.evaluate import Evaluation
from irisrec.ids import IdMap

VARIABLES = ("user_id", "protocol", "history_length", "target_popularity")
PRESENT = "target_has_"


def per_user_frame(
    evaluation: Evaluation, split: Split, users: IdMap, present: Mapping[str, NDArray[np.bool_]] | None = None
) -> pl.DataFrame:
    """Lay out the values of each user with a target under each protocol.

    Args:
        evaluation: of one part of the split.
        split: what was judged.
        users: rows to ids.
        present: {modality: (n_items,) bool}, which items have it.

    Returns:
        Columns ``user_id``, ``protocol``, ``history_length`` (items the user is known by), ``target_popularity``
        (training interactions of the targets, their mean), ``target_has_image`` and the like (whether every target
        has the modality), then one column per metric; null where a metric has no value.
    """
    targets = split.test if evaluation.part == "test" else split.validation
    rows = np.flatnonzero(np.diff(targets.indptr))
    kept = targets[rows]
    n_targets = np.diff(kept.indptr)
    popularity = np.bincount(split.train.indices, minlength=targets.shape[1]).astype(np.float64)
    kinds = {
        "history_length": np.diff(split.known_by.indptr)[rows],
        "target_popularity": kept @ popularity / n_targets,
    } | {
        f"{PRESENT}{name}": kept @ mask.astype(np.float64) == n_targets
        for name, mask in (present or {}).items()
    }
    ids = users.series.gather(rows).alias("user_id")
    frames = [
        pl.DataFrame([ids]).with_columns(
            pl.lit(protocol).alias("protocol"),
            *(pl.Series(name, values) for name, values in kinds.items()),
            *(pl.Series(name, values[rows]).fill_nan(None) for name, values in metrics.items()),
        )
        for protocol, metrics in evaluation.per_user.items()
    ]
    return pl.concat(frames)


def metrics_of(frame: pl.DataFrame) -> list[str]:
    """Return the columns that are metrics."""
    return [name for name in frame.columns if name not in VARIABLES and not name.startswith(PRESENT)]
