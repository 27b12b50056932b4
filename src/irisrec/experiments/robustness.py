"""How much does a model suffer when content is missing? A run judged again with more and more items without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irisrec.data.splits import Split
from irisrec.errors import ModelError, listed
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.robustness import FILLINGS, IN_WORDS, SHARES, Filling, filled
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.report import write_report
from irisrec.files import write_json
from irisrec.models.contract import Scorer
from irisrec.models.features import held_modalities, replaced
from irisrec.models.popularity import Popularity
from irisrec.models.storage import load_features, load_model
from irisrec.progress import progress
from irisrec.recommendation.storage import load_split

EVERY = "all"


@dataclass(frozen=True)
class Point:
    """The metric where a share of the items is without content, and its 95 % interval over users."""

    share: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Robustness:
    """What is left of a run where content is missing at test time.

    Attributes:
        metric: which, with all items ranked.
        seed: of which items lose their content.
        n_users: that were judged.
        popularity: the metric of popularity, which reads no content.
        curves: {what the items lack: {how that is told to the model: points by share, from 0}}; they lack one
            modality, or ``all`` of them at once.
    """

    metric: str
    seed: int
    n_users: int
    popularity: float
    curves: dict[str, dict[Filling, tuple[Point, ...]]]

    @property
    def sentences(self) -> list[str]:
        """What half of the items without content cost, for each modality and all of them."""
        return [self._sentence(lack, ways) for lack, ways in self.curves.items()]

    def _sentence(self, lack: str, ways: dict[Filling, tuple[Point, ...]]) -> str:
        whole = ways["masked"][0].mean
        left = {way: _at(points, 0.5).mean / whole if whole else 0.0 for way, points in ways.items()}
        told = listed([f"{left[way]:.0%} {IN_WORDS[way]}" for way in FILLINGS])
        what = "any content" if lack == EVERY else f"the modality {lack}"
        return (
            f"With half of the items without {what}, what is left of the {self.metric.upper()} over all items is "
            f"{told}."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"sentences": self.sentences}


def measure_robustness(run: Path, *, seed: int = 0) -> Robustness:
    """Judge a finished run with 0, 25, 50, 75 and 100 % of the items without each modality, and without all.

    What is missing is masked, as everywhere in irisrec; for comparison it is also filled with zeros and with the
    mean vector, as is often done. The items that lose content are drawn once: a larger share contains the smaller.

    Args:
        run: folder of a run whose model reads modalities.
        seed: of the draw.

    The result is kept in the run folder as ``robustness.json``, and the run's report is written again with it.
    """
    folder = RunFolder(Path(run))
    folder.require()
    config = ExperimentConfig.load(folder.config)
    model, _ = load_model(folder.path)
    modalities = held_modalities(model)
    if not modalities:
        raise ModelError(f"{config.model.name} reads no modality that could be missing")
    raw, _ = load_features(folder.path)
    _, _, split = load_split(folder.path)
    chosen = _only_ranking(config.evaluation)
    metric = main_metric([f"{name}@{k}" for k in chosen.cutoffs for name in chosen.metrics])
    lacks = {name: (name,) for name in modalities} | ({EVERY: modalities} if len(modalities) > 1 else {})
    whole = _judge(model, split, chosen, metric, 0.0)
    curves: dict[str, dict[Filling, tuple[Point, ...]]] = {}
    with progress("judging with content missing", len(lacks) * len(FILLINGS) * len(SHARES)) as task:
        for lack, lost_by in lacks.items():
            curves[lack] = {}
            for how in FILLINGS:
                points = [whole]
                for share in SHARES:
                    with replaced(model, filled(model, raw, lost_by, share, how, seed)):
                        points.append(_judge(model, split, chosen, metric, share))
                    task.advance()
                curves[lack][how] = tuple(points)
    popularity = Popularity(model.n_items).fit(split.train)
    least = _judge(popularity, split, chosen, metric, 0.0).mean
    n_users = int((split.test.getnnz(axis=1) > 0).sum())
    result = Robustness(metric, seed, n_users, least, curves)
    write_json(folder.robustness, result.to_json())
    write_report(folder)
    return result


def _only_ranking(config: EvaluationConfig) -> EvaluationConfig:
    return config.model_copy(update={"n_sampled": 0, "lists": False, "calibration": False})


def _judge(model: Scorer, split: Split, config: EvaluationConfig, metric: str, share: float) -> Point:
    found = evaluate(model, split, config)
    low, high = found.intervals["full"][metric]
    return Point(share, found.metrics["full"][metric], low, high)


def _at(points: tuple[Point, ...], share: float) -> Point:
    (point,) = (point for point in points if point.share == share)
    return point
