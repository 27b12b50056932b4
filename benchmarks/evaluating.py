"""What judging costs, part by part: both protocols, every metric, list measures, calibration, intervals.

    python benchmarks/evaluating.py                 scores from random factors, 6,040 users and 3,685 items
    python benchmarks/evaluating.py RUN             a finished run, and at the end `irisrec evaluate RUN` as a whole

Seconds on the clock and of the processors, all threads together; the second counts work whether or not other programs
make the clock run slow. The parts are run one by one, so ranking, which needs the scores, scores once more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.clock import Stopwatch
from irisrec.data.splits import Split
from irisrec.evaluation.bootstrap import mean_intervals
from irisrec.evaluation.calibration import calibrate
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import candidates_to_sample, evaluate
from irisrec.evaluation.lists import Content, list_measures
from irisrec.evaluation.metrics import MetricName, compute
from irisrec.evaluation.ranking import rank_targets
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.run import content_of, judging
from irisrec.memory import keep_freed_memory
from irisrec.models.contract import Scorer
from irisrec.models.histories import Histories
from irisrec.models.storage import load_features, load_model
from irisrec.recommendation.storage import load_split

N_USERS, N_ITEMS, MEAN_HISTORY = 6040, 3685, 163
EVERY = get_args(MetricName)


class Factors(Scorer):
    """Random factors; scoring costs next to nothing, so that what is left is judging."""

    is_probabilistic = True

    def __init__(self) -> None:
        super().__init__(N_ITEMS, N_USERS)
        generator = torch.Generator().manual_seed(0)
        self.users, self.items = (torch.randn(n, 16, generator=generator) / 4 for n in (N_USERS, N_ITEMS))

    def score(self, histories: Histories, candidates: Tensor | None = None) -> Tensor:
        """Multiply."""
        assert histories.users is not None
        return self.users[histories.users] @ (self.items if candidates is None else self.items[candidates]).T


def made_up() -> tuple[Scorer, Split, EvaluationConfig, Content]:
    """Make histories of popular items, one item held out of each for test and one for validation, and vectors."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, N_ITEMS + 1) ** 0.7
    lengths = np.clip(rng.lognormal(np.log(MEAN_HISTORY) - 0.6, 1.1, N_USERS), 20, 2000).astype(int)
    waiting = rng.standard_exponential((N_USERS, N_ITEMS)) / chances
    had = [rng.permutation(np.argpartition(row, n)[:n]) for row, n in zip(waiting, lengths, strict=True)]
    rows = [(items[2:], items[1:2], items[:1]) for items in had]
    train, validation, test = (_matrix([row[part] for row in rows]) for part in range(3))
    vectors = rng.normal(size=(N_ITEMS, 512)).astype(np.float32)
    content = {"image": (vectors, np.ones(N_ITEMS, bool)), "text": (vectors[:, :100], np.ones(N_ITEMS, bool))}
    return Factors(), Split(train, validation, test), EvaluationConfig(), content


def _matrix(rows: list[np.ndarray]) -> csr_matrix:
    indices = np.concatenate([np.sort(row) for row in rows])
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(rows), N_ITEMS))


def of_run(run: Path) -> tuple[Scorer, Split, EvaluationConfig, Content]:
    """Read a finished run."""
    config = ExperimentConfig.load(RunFolder(run).config)
    model, _ = load_model(run)
    _, _, split = load_split(run)
    vectors = load_features(run) if config.model.uses_features else ({}, {})
    return model, split, judging(config), content_of(*vectors)


def timed(name: str, run: Callable[[], Any]) -> Any:
    """Run, print what it took, return what it gave."""
    watch = Stopwatch()
    result = run()
    print(f"{name:<44}{watch.seconds:>8.2f} s{watch.cpu_seconds:>8.2f} s", flush=True)
    return result


def parts(model: Scorer, split: Split, config: EvaluationConfig, content: Content) -> None:
    """Time one part after the other, with every metric, then all of it."""
    config = config.model_copy(update={"metrics": EVERY})
    known, k = split.known_by, max(config.cutoffs)
    masked = (known + split.validation).tocsr()
    users = np.flatnonzero(np.diff(split.test.indptr))
    sampled, _ = timed("candidates drawn", lambda: candidates_to_sample(split, config, "test"))
    histories = Histories.from_matrix(known, users)
    timed("scored", lambda: sum(len(block) for block in model.rank_scores(histories, config.batch_users)))
    ranks = timed(
        "scored again and ranked, both protocols",
        lambda: rank_targets(model, known, split.test, masked, sampled, config.batch_users, k),
    )
    values = timed(
        f"{len(EVERY)} metrics at {len(config.cutoffs)} cutoffs, both protocols",
        lambda: {
            name: compute(
                EVERY, config.cutoffs, found, ranks.owners, len(masked.indptr) - 1, ranks.n_candidates[name]
            )
            for name, found in ranks.ranks.items()
        },
    )
    timed(
        "list measures",
        lambda: [
            list_measures(ranks.top[:, :k], known[ranks.users], split.train, content) for k in config.cutoffs
        ],
    )
    for drawn in ranks.candidate_scores.values():
        timed("calibration", lambda drawn=drawn: calibrate(ranks.scores, drawn, 4.0))
    timed("intervals of all metrics", lambda: [mean_intervals(found) for found in values.values()])
    timed("everything", lambda: evaluate(model, split, config, content=content).to_json())


def whole(run: Path) -> None:
    """Time the command, from the start of Python to the printed table."""
    script = "from irisrec.cli.main import main; main()"
    before, watch = os.times(), Stopwatch()
    subprocess.run(
        [sys.executable, "-c", script, "evaluate", str(run)], check=True, stdout=subprocess.DEVNULL
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{'irisrec evaluate RUN, started anew':<44}{watch.seconds:>8.2f} s{cpu:>8.2f} s")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?")
    run = parser.parse_args().run
    keep_freed_memory()
    print(f"{torch.get_num_threads()} threads{'clock':>42}{'processors':>12}")
    parts(*timed("read", lambda: of_run(run)) if run else timed("made up", made_up))
    if run:
        whole(run)


if __name__ == "__main__":
    main()
