"""Does a modality carry information? A run judged again with each of its modalities knocked out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import torch

from irisrec.data.splits import Split
from irisrec.errors import ModelError, RunError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.knockout import IN_WORDS, WAYS, Way, altered, knocked_out
from irisrec.evaluation.metrics import main_metric
from irisrec.evaluation.per_user import per_user_frame
from irisrec.evaluation.significance import compare
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.report import write_report
from irisrec.experiments.run import Prepared, fit_model, prepare
from irisrec.files import write_json
from irisrec.ids import IdMap
from irisrec.models.contract import Scorer
from irisrec.models.features import held_modalities
from irisrec.models.storage import load_model
from irisrec.progress import say
from irisrec.recommendation.storage import load_split

WHOLE = "whole"


@dataclass(frozen=True)
class Knockout:
    """What a run loses without each modality.

    Attributes:
        modalities: that the model reads.
        retrained: whether the model was fitted again without the content, or only judged without it.
        table: as of `significance.compare`; run ``whole`` is the reference, the others are ``image removed`` and
            the like.
        sentences: {modality: whether it carries information, in words}.
    """

    modalities: tuple[str, ...]
    retrained: bool
    table: pl.DataFrame
    sentences: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "modalities": list(self.modalities),
            "retrained": self.retrained,
            "sentences": self.sentences,
            "table": self.table.to_dicts(),
        }


def knock_out(run: Path, *, retrain: bool = False, seed: int = 0) -> Knockout:
    """Judge a finished run with each modality removed, shuffled between items, and replaced by noise.

    Args:
        run: folder of a run whose model reads modalities.
        retrain: fit the model again on the altered content, from the data of the run, instead of altering it for
            judging alone. The first asks whether the modality says what nothing else says, the second whether this
            model listens to it.
        seed: of shuffling and noise.

    The result is kept in the run folder, beside the evaluation, and the run's report is written again with it.
    """
    folder = RunFolder(Path(run))
    folder.require()
    config = ExperimentConfig.load(folder.config)
    model, _ = load_model(folder.path)
    _, users, split = load_split(folder.path)
    modalities = held_modalities(model)
    if not modalities:
        raise ModelError(f"{config.model.name} reads no modality that could be knocked out")
    found = _retrained(folder, config, modalities, seed) if retrain else _at_test(model, modalities, seed)
    frames = {WHOLE: _judge(model, split, config.evaluation, users)}
    for name, altered_model in found:
        say(f"judging with {name}")
        frames[name] = _judge(altered_model, split, config.evaluation, users)
    table = compare(frames)
    result = Knockout(modalities, retrain, table, {m: _sentence(table, m, retrain) for m in modalities})
    write_json(folder.knockouts[retrain], result.to_json())
    write_report(folder)
    return result


def _judge(model: Scorer, split: Split, config: EvaluationConfig, users: IdMap) -> pl.DataFrame:
    config = config.model_copy(update={"lists": False, "calibration": False})
    return per_user_frame(evaluate(model, split, config), split, users)


def _at_test(model: Scorer, modalities: tuple[str, ...], seed: int) -> Iterator[tuple[str, Scorer]]:
    for modality in modalities:
        for way in WAYS:
            with knocked_out(model, modality, way, seed):
                yield f"{modality} {way}", model


def _retrained(
    folder: RunFolder, config: ExperimentConfig, modalities: tuple[str, ...], seed: int
) -> Iterator[tuple[str, Scorer]]:
    if config.start is not None:
        raise RunError(
            f"{folder.path} goes on from {config.start.run}, whose weights have seen the content already; ask what "
            "retraining without it costs of a run that was trained from scratch"
        )
    prepared = prepare(config)
    before, now = folder.read_info().get("data_fingerprint"), prepared.dataset.fingerprint
    if before != now:
        raise RunError(
            f"retraining needs the data of {folder.path} (fingerprint {str(before)[:12]}), they are now {now[:12]}"
        )
    for modality in modalities:
        for way in WAYS:
            say(f"retraining with {modality} {way}")
            model, _ = fit_model(config, without(prepared, modality, way, seed))
            yield f"{modality} {way}", model.to(torch.device("cpu"))


def without(prepared: Prepared, modality: str, way: Way, seed: int = 0) -> Prepared:
    """Return prepared data with the content of one modality knocked out."""
    values, present = altered(prepared.features[modality], prepared.present[modality], way, seed)
    return replace(
        prepared,
        features=prepared.features | {modality: values},
        present=prepared.present | {modality: present},
    )


def _sentence(table: pl.DataFrame, modality: str, retrained: bool) -> str:
    """Say whether a modality carries information, by what is lost when its vectors change places."""
    metric = main_metric(table["metric"])
    rows = table.filter(
        (pl.col("protocol") == "full")
        & (pl.col("metric") == metric)
        & (pl.col("run") == f"{modality} shuffled")
    )
    row = rows.row(0, named=True)
    change, low, high = row["difference"], row["difference_low"], row["difference_high"]
    how = "trained with" if retrained else "judged with"
    facts = (
        f"{how} the {modality} vectors {IN_WORDS['shuffled']}, {metric.upper()} over all items changes by "
        f"{change:+.4f} (95% interval {low:+.4f} to {high:+.4f})"
    ).replace("-", "−")
    if high < 0:
        kind = "that nothing else in the data replaces" if retrained else "that the model uses"
        return f"The modality {modality} carries information {kind}: {facts}."
    if low > 0:
        return f"The modality {modality} misleads the model: {facts}."
    return f"There is no sign that the modality {modality} carries information: {facts}."
