"""Whether our baselines are as good as those of Cornac and RecBole, on the same split with the same hyper-parameters.

    python benchmarks/peers_quality.py --data FOLDER                  all methods, three seeds
    python benchmarks/peers_quality.py --data FOLDER --only vbpr      one method; the table shows all that are complete

FOLDER holds RecBole's files of MovieLens-100K. One random interaction of each user is held out for test, one for
validation, which nobody reads: everybody trains for the same number of epochs. Each peer is installed once into an
environment of its own under the cache folder (IRISREC_CACHE, as of irisrec) and trains by itself; its scores of all
pairs are judged by the same code as ours. What cannot be installed or run within its time is named and left out.

Every fit is kept (--out) and never made twice: killed, the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from peers.environments import MissingPeerError, python_if_there, python_of, scores_of, version_of
from peers.kept import Fit
from peers.methods import METHODS, Method
from peers.world import Given, World, load

from irisrec.evaluation.seeds import average_over_seeds, spread_over_seeds
from irisrec.evaluation.significance import compare
from irisrec.experiments.markdown import table
from irisrec.files import cache_folder
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.trainable import Trainable
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

SHOWN = (("sampled-99", "hr@10"), ("sampled-99", "ndcg@10"), ("full", "hr@10"), ("full", "ndcg@10"))
Key = tuple[str, str]


def our_scorer(method: Method, world: World, seed: int) -> Scorer:
    """Fit our model."""
    n_users, n_items = world.split.train.shape
    present = torch.ones(n_items, dtype=torch.bool)
    content = ({"content": world.vectors}, {"content": present}) if method.reads_content else (None, None)
    model = build_model(ModelConfig(**method.ours), n_items, *content, seed=seed, n_users=n_users)
    if not isinstance(model, Trainable):
        return model.fit(world.split.train)
    fit(
        model,
        world.split.train,
        TrainingConfig(**method.training, batch_users=users_per_step(method, world), seed=seed),
    )
    return model


def users_per_step(method: Method, world: World) -> int:
    """Return how many users have about as many interactions as a step of a peer."""
    return max(1, round(method.pairs * world.split.train.shape[0] / world.split.train.nnz))


def their_scorer(method: Method, world: World, seed: int, python: Path, limit: float) -> Scorer:
    """Let the peer fit its model; what it does not know stands last."""
    users, items = world.split.train.nonzero()
    task = {
        "model": method.model,
        "options": method.theirs,
        "seed": seed,
        "shape": world.split.train.shape,
        "pairs": np.column_stack([users, items]),
        "features": world.vectors.numpy() if method.reads_content else None,
    }
    arrays = {name: task.pop(name) for name in ("pairs", "features")}
    scores = torch.from_numpy(scores_of(method.peer, python, task, arrays, limit))
    least = scores[~scores.isnan()].min() - 1
    return Given(torch.where(scores.isnan(), least, scores))


def fits_of(name: str, method: Method, world: World, seeds: int, version: str) -> dict[str, list[Fit]]:
    """Return {who: one fit per seed}, ours first."""
    shared = {"data": world.dataset.fingerprint, "users": world.split.train.shape[0]}
    ours = {"model": method.ours, "training": method.training, "batch_users": users_per_step(method, world)}
    theirs = {"peer": method.peer, "version": version, "model": method.model, "options": method.theirs}
    n = 1 if method.is_exact else seeds
    return {
        "irisrec": [Fit(f"{name}-irisrec-{s}", {**shared, **ours, "seed": s}) for s in range(n)],
        f"{method.peer} {version}": [
            Fit(f"{name}-{method.peer}-{s}", {**shared, **theirs, "seed": s}) for s in range(n)
        ],
    }


def make(name: str, method: Method, world: World, options: argparse.Namespace) -> None:
    """Make all fits of one method that are not there yet, seed by seed."""
    python = python_of(method.peer, cache_folder(), options.limit)
    fits = fits_of(name, method, world, options.seeds, version_of(method.peer, python))
    for ours, theirs in zip(*fits.values(), strict=True):
        seed = ours.told["seed"]
        ours.make(options.out, lambda seed=seed: world.frame(our_scorer(method, world, seed)))
        judged = partial(their_scorer, method, world, seed, python, options.limit)
        theirs.make(options.out, lambda judged=judged: world.frame(judged()))


def rows_of(name: str, method: Method, world: World, seeds: int, out: Path) -> list[list[str]]:
    """Return rows of ours, theirs, and the difference; none where a fit is not there yet."""
    if (python := python_if_there(method.peer, cache_folder())) is None:
        return []
    fits = fits_of(name, method, world, seeds, version_of(method.peer, python))
    found = {who: [one.find(out) for one in some] for who, some in fits.items()}
    if any(one is None for some in found.values() for one in some):
        return []
    frames = {who: [one[0] for one in some if one] for who, some in found.items()}
    seconds = {who: float(np.median([one[1] for one in some if one])) for who, some in found.items()}
    return _rows(name, frames, seconds)


def _rows(name: str, frames: dict[str, list[pl.DataFrame]], seconds: dict[str, float]) -> list[list[str]]:
    found = compare({who: average_over_seeds(some) for who, some in frames.items()})
    values = {(r["protocol"], r["metric"], r["run"]): r for r in found.iter_rows(named=True)}
    rows = []
    for who, some in frames.items():
        spread = spread_over_seeds(some)
        cells = [_mean(values[(*key, who)]["mean"], spread.get(key)) for key in SHOWN]
        rows.append([name, who, *cells, f"{seconds[who]:.1f}"])
    _, theirs = frames
    cells = [_difference(values[(*key, theirs)]) for key in SHOWN]
    return [*rows, ["", "difference", *cells, ""]]


def _mean(mean: float, spread: float | None) -> str:
    return f"{mean:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _difference(row: dict[str, float]) -> str:
    """Print ours minus theirs."""
    ours = (0.0 - row[name] for name in ("difference", "difference_high", "difference_low"))
    return "{:+.4f} [{:+.4f}, {:+.4f}]".format(*ours).replace("-", "−")


def show(names: Sequence[str], world: World, seeds: int, out: Path) -> None:
    """Print one table of what is complete."""
    rows = [row for name in names for row in rows_of(name, METHODS[name], world, seeds, out)]
    columns = (f"{metric.upper()}, {'all' if protocol == 'full' else '99'}" for protocol, metric in SHOWN)
    print(f"{world.dataset}; {world.split}")
    print(
        f"Means over users and {seeds} seeds ± standard deviation over seeds; the difference is ours minus theirs"
    )
    print(
        "with its 95 % bootstrap interval over users; s is the median of the seeds, a peer's start included.\n"
    )
    print(table(["method", "by", *columns, "s"], *rows))


def main() -> None:
    """Make what is asked for and missing, and print one table of all that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--only", nargs="*", choices=METHODS, default=list(METHODS), help="none: just the table"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, help="only so many users, to try it out")
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds for one installation or one fit of a peer"
    )
    parser.add_argument(
        "--out", type=Path, default=cache_folder() / "peers" / "quality", help="folder of the fits"
    )
    options = parser.parse_args()
    world, lost = load(options.data, options.users), []
    for name in options.only:
        try:
            make(name, METHODS[name], world, options)
        except MissingPeerError as error:
            lost.append(f"{name}: {error}")
    show(list(METHODS), world, options.seeds, options.out)
    for sentence in lost:
        print(f"\nleft out: {sentence}")


if __name__ == "__main__":
    main()
