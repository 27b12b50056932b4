"""Standing: how the methods stand under one protocol, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.per_user import metrics_of
from irisrec.evaluation.significance import MARKED, estimates, holm
from irisrec.experiments.results.method import Method

Estimate = dict[str, Any]
_DIFFERENCES = ("difference", "difference_low", "difference_high", "p")


@dataclass(frozen=True)
class Standing:
    """Methods under one protocol.

    Attributes:
        protocol: such as ``full``.
        metrics: those that all runs have.
        main: the metric that orders the methods.
        order: names of the methods, the highest main metric first; the first is a reference of the tests.
        iris: the best IRIS model, the other reference; none where there is none.
        table: as of `significance.compare` against the first; ``spread``, the standard deviation over seeds; and
            ``iris_difference`` to ``iris_p_holm``, the same against the best IRIS model. The correction is over the
            tests against both.
        seeds: {method: main metric of each of its runs}, for methods with several.
    """

    protocol: str
    metrics: tuple[str, ...]
    main: str
    order: tuple[str, ...]
    iris: str | None
    table: pl.DataFrame
    seeds: Mapping[str, tuple[float, ...]]

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
        return is_marked(self.estimate(method, self.main))

    @property
    def has_two_references(self) -> bool:
        """Whether the best IRIS model is there and not the first."""
        return self.iris is not None and self.iris != self.order[0]


def is_marked(row: Estimate, prefix: str = "") -> bool:
    """Whether a difference is more than chance: by its corrected p, and by its interval, which does not hold 0.

    By p alone a mean over seeds differs from anything: it has many small values where one seed has zeros, and ranks
    see that and not how small they are.
    """
    p, low, high = (row[prefix + name] for name in ("p_holm", "difference_low", "difference_high"))
    return p is not None and p < MARKED and not low <= 0 <= high


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
    iris = next((name for name in order if any(m.name == name and m.is_iris for m in methods)), None)
    table = _tested(frames, order, iris, list(metrics))
    of = {method.name: method.spread for method in methods}
    spread = [of[run].get((protocol, metric)) for run, metric in table.select("run", "metric").iter_rows()]
    table = table.with_columns(pl.Series("spread", spread, dtype=pl.Float64))
    seeds = {m.name: m.values_of_seeds(protocol, main) for m in methods if len(m.runs) > 1}
    return Standing(protocol, tuple(metrics), main, tuple(order), iris, table, seeds)


def _tested(
    frames: Mapping[str, pl.DataFrame], order: Sequence[str], iris: str | None, metrics: list[str]
) -> pl.DataFrame:
    """Hold all against the first and against the best IRIS model, and correct over all of these tests."""
    keys = ["metric", "run"]
    references = dict.fromkeys([order[0], iris or order[0]])
    against_first, *others = (
        estimates({name: frames[name] for name in dict.fromkeys([reference, *order])}, metrics)
        for reference in references
    )
    against_iris = others[0] if others else against_first.clear()
    renamed = against_iris.select(*keys, pl.col(_DIFFERENCES).name.prefix("iris_"))
    table = against_first.join(renamed, on=keys, how="left", maintain_order="left")
    both = np.concatenate([table["p"].to_numpy(), table["iris_p"].to_numpy()]).astype(np.float64)
    tested = ~np.isnan(both)
    both[tested] = holm(both[tested])
    columns = zip(("p_holm", "iris_p_holm"), np.split(both, 2), strict=True)
    return table.with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns)
