"""Are the reasons of a run faithful? Measured for its model, and for iALS by its own reasons, on the same users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irisrec.data.splits import Split
from irisrec.errors import DataError, ModelError, count_of
from irisrec.evaluation.bootstrap import mean_intervals
from irisrec.evaluation.faithfulness import ORDERS, SHARES, Faithfulness, measure_faithfulness
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.reporting.words import model_in_words
from irisrec.files import write_json
from irisrec.models.config import ModelConfig
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.options import ModelName
from irisrec.models.storage import load_model
from irisrec.notes import Note
from irisrec.progress import say
from irisrec.recommendation.storage import load_split

BESIDE: ModelName = "ials"  # whose reasons, of Hu, Koren and Volinsky (2008), are the ones that others offer


@dataclass(frozen=True)
class JudgedReasons:
    """The faithfulness of the run's model, and of iALS.

    Attributes:
        models: {model in words: what was measured}, the run's own first.
        notes: what was left out.
    """

    models: dict[str, Faithfulness]
    notes: tuple[Note, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, with 95 % bootstrap intervals over users."""
        return {
            "shares": SHARES.tolist(),
            "models": {name: _as_json(found) for name, found in self.models.items()},
            "notes": [note.to_json() for note in self.notes],
        }


def judge_reasons(run: Path, *, n_users: int = 200, k: int = 10, seed: int = 0) -> JudgedReasons:
    """Judge the reasons of a finished run; the result is kept in the run folder, and its report written again.

    Args:
        run: folder of a run whose model has reasons.
        n_users: users drawn, of those with at least two training items.
        k: how many items are recommended.
        seed: of the draw, of the random orders and of iALS.
    """
    from irisrec.experiments.report import write_report

    folder = RunFolder(Path(run))
    folder.require()
    name = ExperimentConfig.load(folder.config).model.name
    model, _ = load_model(folder.path)
    _, _, split = load_split(folder.path)
    known = split.known_by.tocsr()
    users = np.flatnonzero(np.diff(known.indptr) >= 2)
    if not len(users):
        raise DataError("reasons are judged for users with at least two training items, and there is none")
    rng = np.random.default_rng(seed)
    users = np.sort(rng.choice(users, min(n_users, len(users)), replace=False))
    found: dict[str, Faithfulness] = {}
    notes: list[Note] = []
    for other, scorer in ((name, model), *_beside(name, split, model.n_items, seed, notes)):
        say(f"judging the reasons of {model_in_words(other)} for {count_of(len(users), 'user')}")
        found[model_in_words(other)] = measure_faithfulness(scorer, known, users, k=k, seed=seed)
    judged = JudgedReasons(found, tuple(notes))
    write_json(folder.faithfulness, judged.to_json())
    if folder.evaluation.exists():
        write_report(folder)
    return judged


def _beside(
    name: str, split: Split, n_items: int, seed: int, notes: list[Note]
) -> Iterator[tuple[str, Scorer]]:
    if name == BESIDE:
        return
    try:
        yield BESIDE, build_model(ModelConfig(name=BESIDE), n_items, seed=seed).fit(split.train)
    except ModelError as error:
        notes.append(Note.of("no_ials", 1, f"iALS is not measured beside: {error}", warning=True))


def _as_json(found: Faithfulness) -> dict[str, Any]:
    orders = {}
    for order in ORDERS:
        intervals = mean_intervals(found.values[order])
        measures = {m: [found.mean(order, m), *intervals[m]] for m in found.values[order]}
        curves = {name: curve.tolist() for name, curve in found.curves[order].items()}
        speed = found.speed(order)
        orders[order] = measures | {"speed": None if np.isnan(speed) else speed, "curves": curves}
    return {"n_users": found.n_users, "n_left_out": found.n_left_out, "k": found.k, "orders": orders}
