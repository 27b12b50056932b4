"""Standing: how the methods stand under one protocol, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.per_user import metrics_of
from irisrec.evaluation.significance import MARKED, compare
from irisrec.experiments.results.method import Method

Estimate = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """Methods under one protocol.

    Attributes:
        protocol: such as ``full``.
        metrics: those that all runs have.
        main: the metric that orders the methods.
        order: names of the methods, the highest main metric first; that method is the reference of all tests.
        table: as of `significance.compare`, with the column ``spread``, the standard deviation over seeds.
    """

    protocol: str
    metrics: tuple[str, ...]
    main: str
    order: tuple[str, ...]
    table: pl.DataFrame

    def estimate(self, method: str, metric: str) -> Estimate:
        """Return one row of the table."""
        found = self.table.row(
            by_predicate=(pl.col("run") == method) & (pl.col("metric") == metric), named=True
        )
        return dict(found)

    def value(self, method: str) -> float:
        """Return the main metric of a method."""
        return float(self.estimate(method, self.main)["mean"])

    def is_told_apart(self, method: str) -> bool:
        """Whether a method differs from the first one in the main metric by more than chance."""
        p = self.estimate(method, self.main)["p_holm"]
        return p is not None and p < MARKED


def standings(methods: Sequence[Method]) -> list[Standing]:
    """Return the standing under every protocol, sampled candidates first."""
    first = methods[0].per_user
    protocols = first["protocol"].unique(maintain_order=True).to_list()
    metrics = common_metrics(methods)
    return [_standing(protocol, metrics, methods) for protocol in sorted(protocols, key="full".__eq__)]


def common_metrics(methods: Sequence[Method]) -> list[str]:
    """Return the metrics that all methods were judged by."""
    return [m for m in metrics_of(methods[0].per_user) if all(m in one.per_user.columns for one in methods)]


def uncommon_metrics(methods: Sequence[Method]) -> list[str]:
    """Return the metrics that only some of the methods were judged by."""
    known = dict.fromkeys(m for method in methods for m in metrics_of(method.per_user))
    return [metric for metric in known if metric not in common_metrics(methods)]


def _standing(protocol: str, metrics: Sequence[str], methods: Sequence[Method]) -> Standing:
    main = main_metric(metrics)
    frames = {method.name: method.per_user.filter(pl.col("protocol") == protocol) for method in methods}
    means = {name: float(frame[main].mean() or 0.0) for name, frame in frames.items()}  # type: ignore[arg-type]
    order = sorted(frames, key=means.__getitem__, reverse=True)
    table = compare({name: frames[name] for name in order}, list(metrics))
    of = {method.name: method.spread for method in methods}
    spread = [of[run].get((protocol, metric)) for run, metric in table.select("run", "metric").iter_rows()]
    table = table.with_columns(pl.Series("spread", spread, dtype=pl.Float64))
    return Standing(protocol, tuple(metrics), main, tuple(order), table)
