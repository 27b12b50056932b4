"""One method, several seeds: what a user's metrics are on average, and how far the seeds lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from irisrec.evaluation.per_user import metrics_of


def average_over_seeds(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return a per-user frame in which every metric is its mean over the runs, rows in the order of the first.

    Such a frame is compared like that of one run: its users are as many, its chance of training is averaged out.

    Args:
        frames: per-user frames of runs over the same users, that differ in the seed of the training alone.
    """
    first, keys = frames[0], ["user_id", "protocol"]
    metrics = metrics_of(first)
    means = (
        pl.concat([frame.select(*keys, *metrics) for frame in frames])
        .group_by(keys)
        .agg(pl.col(metrics).mean())
    )
    return first.drop(metrics).join(means, on=keys, how="left", maintain_order="left")


def spread_over_seeds(frames: Sequence[pl.DataFrame]) -> dict[tuple[str, str], float]:
    """Return {(protocol, metric): standard deviation of the runs' means}; empty for a single run."""
    if len(frames) < 2:
        return {}
    metrics = metrics_of(frames[0])
    means = pl.concat(
        [frame.group_by("protocol", maintain_order=True).agg(pl.col(metrics).mean()) for frame in frames]
    )
    spread = means.group_by("protocol", maintain_order=True).agg(pl.col(metrics).std())
    return {(row["protocol"], metric): row[metric] for row in spread.to_dicts() for metric in metrics}
