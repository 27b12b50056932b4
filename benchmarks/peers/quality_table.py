"""What fits here and at a peer have reached and how long their training took, as two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from peers.kept import Kept

from irisrec.evaluation.seeds import average_over_seeds, spread_over_seeds
from irisrec.evaluation.significance import compare
from irisrec.experiments.markdown import table

SHOWN = (("sampled-99", "hr@10"), ("sampled-99", "ndcg@10"), ("full", "hr@10"), ("full", "ndcg@10"))
JUDGED_BY = SHOWN[-1]  # whether two are equally good
Pair = Mapping[str, Sequence[Kept]]  # {who: one fit per seed}, ours first


def quality(pairs: Mapping[str, Pair]) -> str:
    """Lay out means over users and seeds of ours, of theirs, and the difference with its interval."""
    columns = (f"{metric.upper()}, {'all' if protocol == 'full' else '99'}" for protocol, metric in SHOWN)
    rows = []
    for name, pair in pairs.items():
        values, theirs = _compared(pair), list(pair)[1]
        for who, fits in pair.items():
            spread = spread_over_seeds([fit.frame for fit in fits])
            cells = [_mean(values[(*key, who)]["mean"], spread.get(key)) for key in SHOWN]
            rows.append([name, str(len(fits)), who, *cells])
        rows.append(["", "", "difference", *(_difference(values[(*key, theirs)]) for key in SHOWN)])
    return table(["method", "seeds", "by", *columns], *rows)


def times(pairs: Mapping[str, Pair]) -> str:
    """Lay out the seconds of training, medians over the seeds, and how many times ours a peer takes."""
    header = ["method", "NDCG@10, all: ours", "theirs", "equal", "s: ours", "theirs", "÷ ours"]
    rows = []
    for name, pair in pairs.items():
        ours, theirs = pair
        values = _compared(pair)
        means = [f"{values[(*JUDGED_BY, who)]['mean']:.4f}" for who in pair]
        row = [name, *means, _verdict(values[(*JUDGED_BY, theirs)])]
        for quantity in ("seconds", "cpu_seconds"):
            taken = {who: [getattr(fit.took, quantity) for fit in fits] for who, fits in pair.items()}
            ratio = median(taken[theirs]) / median(taken[ours])
            row += [
                *(_seconds(some) for some in taken.values()),
                f"{ratio:,.2g}" if ratio < 10 else f"{ratio:,.0f}",
            ]
        rows.append(row)
    return table([*header, "CPU s: ours", "theirs", "÷ ours"], *rows)


def _compared(pair: Pair) -> dict[tuple[str, str, str], dict[str, float]]:
    """Return {(protocol, metric, who): means, and for theirs the difference from ours}."""
    found = compare({who: average_over_seeds([fit.frame for fit in fits]) for who, fits in pair.items()})
    return {(r["protocol"], r["metric"], r["run"]): r for r in found.iter_rows(named=True)}


def _mean(mean: float, spread: float | None) -> str:
    return f"{mean:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _difference(row: Mapping[str, float]) -> str:
    """Print ours minus theirs."""
    ours = (0.0 - row[name] for name in ("difference", "difference_high", "difference_low"))
    return "{:+.4f} [{:+.4f}, {:+.4f}]".format(*ours).replace("-", "−")


def _verdict(row: Mapping[str, float]) -> str:
    """Say whether the interval of the difference holds zero, and who is ahead where it does not."""
    if row["difference_low"] <= 0 <= row["difference_high"]:
        return "yes"
    return "no, theirs is higher" if row["difference"] > 0 else "no, ours is higher"


def _seconds(taken: Sequence[float]) -> str:
    spread = f" ({min(taken):,.1f}–{max(taken):,.1f})" if len(taken) > 1 else ""
    return f"{median(taken):,.1f}{spread}"
