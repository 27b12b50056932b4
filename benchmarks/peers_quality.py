"""Whether our baselines are as good as those of Cornac and RecBole, on the same split with the same hyper-parameters.

    python benchmarks/peers_quality.py --data FOLDER                  all methods, three seeds
    python benchmarks/peers_quality.py --data FOLDER --only vbpr      one method; the table shows all that are complete

FOLDER holds RecBole's files of MovieLens-100K. One random interaction of each user is held out for test, one for
validation, which nobody reads: everybody trains for the same number of epochs. Each peer is installed once into an
environment of its own under the cache folder (IRISREC_CACHE, as of irisrec) and trains by itself; its scores of all
pairs are judged by the same code as ours. What cannot be installed or run within its time is named and left out.
A second table gives what training took; on a machine with other work only its CPU seconds mean anything.

Every fit is kept (--out) and never made twice: killed, the same command goes on.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from peers.environments import MissingPeerError, python_if_there, python_of, scores_of, version_of
from peers.kept import Fit, Kept
from peers.methods import METHODS, Method
from peers.quality_table import Pair, quality, times
from peers.timing import timed
from peers.world import Given, World, load

from irisrec.files import cache_folder
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.trainable import Trainable
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit


def our_fit(method: Method, world: World, seed: int) -> Kept:
    """Fit our model and judge it."""
    model, took = timed(lambda: our_model(method, world, seed))
    return Kept(world.frame(model), took)


def our_model(method: Method, world: World, seed: int) -> Scorer:
    """Build our model and train it."""
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


def their_fit(method: Method, world: World, seed: int, python: Path, limit: float) -> Kept:
    """Let the peer fit its model, and judge it; what it does not know stands last."""
    users, items = world.split.train.nonzero()
    task = {
        "model": method.model,
        "options": method.theirs,
        "cpu_seconds": method.cpu_seconds,
        "seed": seed,
        "shape": world.split.train.shape,
        "pairs": np.column_stack([users, items]),
        "features": world.vectors.numpy() if method.reads_content else None,
    }
    arrays = {name: task.pop(name) for name in ("pairs", "features")}
    found, took = scores_of(method.peer, python, task, arrays, limit)
    scores = torch.from_numpy(found)
    least = scores[~scores.isnan()].min() - 1
    return Kept(world.frame(Given(torch.where(scores.isnan(), least, scores))), took)


def fits_of(name: str, method: Method, world: World, seeds: int, version: str) -> dict[str, list[Fit]]:
    """Return {who: one fit per seed}, ours first."""
    shared = {"data": world.dataset.fingerprint, "users": world.split.train.shape[0]}
    ours = {"model": method.ours, "training": method.training, "batch_users": users_per_step(method, world)}
    theirs = {"peer": method.peer, "version": version, "model": method.model, "options": method.theirs}
    if method.cpu_seconds:
        theirs["cpu_seconds"] = method.cpu_seconds
    n = min(seeds, method.seeds)
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
        ours.make(options.out, partial(our_fit, method, world, seed))
        theirs.make(options.out, partial(their_fit, method, world, seed, python, options.limit))


def found_of(name: str, method: Method, world: World, seeds: int, out: Path) -> Pair | None:
    """Return what the fits of one method have left, None where one is not there yet."""
    if (python := python_if_there(method.peer, cache_folder())) is None:
        return None
    fits = fits_of(name, method, world, seeds, version_of(method.peer, python))
    found = {who: [left for fit in some if (left := fit.find(out))] for who, some in fits.items()}
    return found if all(len(found[who]) == len(some) for who, some in fits.items()) else None


def show(world: World, seeds: int, out: Path) -> None:
    """Print the tables of what is complete."""
    pairs = {
        name: pair
        for name, method in METHODS.items()
        if (pair := found_of(name, method, world, seeds, out)) is not None
    }
    print(f"{world.dataset}; {world.split}")
    print(
        "Means over users and seeds ± standard deviation over seeds; the difference is ours minus theirs with"
    )
    print("its 95 % bootstrap interval over users.\n")
    print(quality(pairs))
    print(
        "\nTraining from interactions in memory to a fitted model, medians over the seeds (least–largest), in"
    )
    print(
        "seconds on the clock and of all processors; equal where the interval of the difference holds zero.\n"
    )
    print(times(pairs))


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
    show(world, options.seeds, options.out)
    for sentence in lost:
        print(f"\nleft out: {sentence}")


if __name__ == "__main__":
    main()
