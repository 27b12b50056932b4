"""From a config to a run folder: load, split, encode, train, judge, save. Every step can be interrupted and resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from irisrec.budget import memory_budget
from irisrec.clock import Stopwatch
from irisrec.data.dataset import Dataset
from irisrec.data.load import load_dataset
from irisrec.data.planted.options import ShopOptions
from irisrec.data.splits import Split, new_items, split_dataset
from irisrec.errors import RunError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import Evaluation, evaluate
from irisrec.evaluation.lists import Content
from irisrec.evaluation.per_user import per_user_frame
from irisrec.experiments.causes import planted_reasons
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.continuing import Start
from irisrec.experiments.curves import draw_curves
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.provenance import commit, machine, versions
from irisrec.experiments.report import write_report
from irisrec.features.encode import Encoded, encode_catalog, encode_with
from irisrec.files import atomic_path, cache_folder, write_json
from irisrec.memory import forget_peak, peak_memory
from irisrec.models.contract import Scorer
from irisrec.models.factory import build_model
from irisrec.models.features import FeatureScaler
from irisrec.models.popularity import Popularity
from irisrec.models.storage import load_features, load_model, save_features, save_model
from irisrec.models.trainable import Trainable
from irisrec.notes import Note
from irisrec.progress import say
from irisrec.recommendation.storage import load_split, save_dataset
from irisrec.training.checkpoints import Progress
from irisrec.training.loop import fit


@dataclass(frozen=True)
class Prepared:
    """Data ready for training.

    Attributes:
        dataset, split, encoded: what the config asked for.
        features, present: {modality: (N, F)} and {modality: (N,)} in the order of the items.
        start: the run whose weights and scale of the features are taken over; None where there is none.
    """

    dataset: Dataset
    split: Split
    encoded: Encoded
    features: dict[str, Tensor]
    present: dict[str, Tensor]
    start: Start | None = None

    @property
    def scalers(self) -> Mapping[str, FeatureScaler] | None:
        """What the features are scaled by, where it is not found from themselves."""
        return None if self.start is None else self.start.scalers


def train(config: ExperimentConfig, out: Path) -> Evaluation:
    """Run an experiment into a new folder and return its evaluation on test."""
    folder = RunFolder(Path(out))
    folder.create()
    config.save(folder.config)
    with memory_budget(config.training.memory_budget):
        return _run(config, folder)


def resume(run: Path) -> Evaluation:
    """Go on with a run from its last whole epoch; a finished one is judged again and reported."""
    folder = RunFolder(Path(run))
    folder.require()
    folder.sweep()
    config = ExperimentConfig.load(folder.config)
    with memory_budget(config.training.memory_budget):
        return _run(config, folder)


def evaluate_run(run: Path) -> Evaluation:
    """Judge a finished run on test, from its folder alone."""
    folder = RunFolder(Path(run))
    folder.require()
    config = ExperimentConfig.load(folder.config)
    model, _ = load_model(folder.path)
    _, _, split = load_split(folder.path)
    vectors = load_features(folder.path) if config.model.uses_features else ({}, {})
    with memory_budget(config.training.memory_budget):
        return evaluate(model, split, judging(config), content=content_of(*vectors))


def judging(config: ExperimentConfig) -> EvaluationConfig:
    """Return how a run is judged: its probabilities are about the world it was trained in."""
    if config.evaluation.negatives_per_target is not None:
        return config.evaluation
    return config.evaluation.model_copy(update={"negatives_per_target": float(config.training.n_negatives)})


def choosing(config: ExperimentConfig) -> EvaluationConfig:
    """Return how epochs and hyper-parameters are judged on validation: by HR@10 and NDCG@10 over all items."""
    return EvaluationConfig(
        cutoffs=(10,), n_sampled=0, lists=False, batch_users=config.evaluation.batch_users
    )


def content_of(features: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Content:
    """Return vectors and masks as evaluation reads them."""
    return {name: (values.numpy(), present[name].numpy()) for name, values in features.items()}


def prepare(config: ExperimentConfig) -> Prepared:
    """Load, split and encode, saying what was done to the data on the way."""
    start = Start.load(config)
    dataset = load_dataset(config.data)
    if start is not None:
        dataset = replace(dataset, notes=(*dataset.notes, *start.notes(dataset)))
    tell(dataset.notes)
    say(f"data: {dataset}")
    split = split_dataset(dataset, config.split, config.data.root)
    if start is not None:
        split = start.unlearned(split, dataset)
    tell(split.notes)
    say(f"split: {split}")
    wanted = config.model.modalities_of(tuple(config.features))
    root, store = config.data.root.expanduser(), cache_folder() / "features"
    if start is None:
        chosen = {name: config.features[name] for name in wanted}
        encoded = encode_catalog(dataset.catalog, chosen, root, store)
    else:
        encoded = encode_with(dataset.catalog, start.encoders(wanted, root), root, store)
    tell(encoded.notes)
    features, present = {}, {}
    for name, table in encoded.tables.items():
        values, mask = table.align(dataset.items)
        features[name], present[name] = torch.from_numpy(values), torch.from_numpy(mask)
    return Prepared(dataset, split, encoded, features, present, start)


def fit_model(
    config: ExperimentConfig,
    prepared: Prepared,
    checkpoint: Path | None = None,
    after_epoch: Callable[[Progress], None] | None = None,
) -> tuple[Scorer, Progress]:
    """Build and fit the model of a config on prepared data."""
    dataset, split, seed = prepared.dataset, prepared.split, config.training.seed
    vectors = prepared.features, prepared.present
    model = build_model(
        config.model, dataset.n_items, *vectors, seed, dataset.n_users, scalers=prepared.scalers
    )
    if not model.needs_gradient_training:
        watch = Stopwatch()
        model.fit(split.train)
        return model, Progress(finished=True, seconds=watch.seconds, cpu_seconds=watch.cpu_seconds)
    assert isinstance(model, Trainable)
    validate = None
    if split.validation.nnz:

        def validate(model: Trainable) -> dict[str, float]:
            return evaluate(model, split, choosing(config), part="validation").metrics["full"]

    begin = None if prepared.start is None else partial(prepared.start.begin, dataset=dataset)
    new = new_items(split, config.split)
    return model, fit(model, split.train, config.training, validate, checkpoint, after_epoch, begin, new)


def _run(config: ExperimentConfig, folder: RunFolder) -> Evaluation:
    forget_peak()
    watch = Stopwatch()
    _record_start(config, folder)
    prepared = prepare(config)
    _record_data(folder, prepared)
    model, progress = fit_model(
        config, prepared, folder.checkpoint, lambda progress: write_json(folder.metrics, progress.epochs)
    )
    if progress.epochs:
        draw_curves(progress.epochs, progress.best_epoch, folder.curves)
    save_model(folder.path, model.cpu(), config.model)
    content = content_of(prepared.features, prepared.present)
    evaluation = evaluate(model, prepared.split, judging(config), content=content)
    popularity = evaluate(
        Popularity(model.n_items).fit(prepared.split.train), prepared.split, judging(config), content=content
    )
    results = evaluation.to_json()
    # the least that has to be beaten, on the same targets
    results["baselines"] = {"popularity": popularity.metrics}
    results["baseline_lists"] = {"popularity": popularity.lists}
    if config.data.source == "shop" and model.has_reasons:
        top_ten = EvaluationConfig(cutoffs=(10,), metrics=("hr",), n_sampled=0)
        hits = evaluate(model, prepared.split, top_ten).per_user["full"]["hr@10"] == 1
        shop = ShopOptions.read(config.data.shop, "data.shop")
        found = planted_reasons(model, prepared.dataset, prepared.split, hits, shop)
        say(f"reasons: {found}")
        results["planted_reasons"] = found.to_json()
    write_per_user(folder.per_user, evaluation, prepared)
    write_per_user(folder.per_user_popularity, popularity, prepared)
    write_json(folder.evaluation, results)
    folder.update_info(
        state="finished",
        seconds=round(watch.seconds, 2),
        training_seconds=round(progress.seconds, 3),
        training_cpu_seconds=round(progress.cpu_seconds, 3),
        seconds_per_epoch=_median([float(record["seconds"]) for record in progress.epochs]),
        evaluation_seconds=round(evaluation.seconds, 3),
        best_epoch=progress.best_epoch,
        precision=progress.precision,
        peak_memory_bytes=peak_memory(),
    )
    write_report(folder)
    return evaluation


def write_per_user(path: Path, evaluation: Evaluation, prepared: Prepared) -> None:
    """Keep every user's metrics, so that runs can be compared afterwards."""
    present = {name: mask.numpy() for name, mask in prepared.present.items()}
    frame = per_user_frame(evaluation, prepared.split, prepared.dataset.users, present)
    with atomic_path(path) as temporary:
        frame.write_parquet(temporary)


def _record_start(config: ExperimentConfig, folder: RunFolder) -> None:
    folder.update_info(
        state="running",
        seed=config.training.seed,
        commit=commit(),
        versions=versions(),
        threads=torch.get_num_threads(),
        machine=machine(),
    )


def _record_data(folder: RunFolder, prepared: Prepared) -> None:
    """Save what recommending needs; a resumed run must find the data it began with."""
    before, now = folder.read_info().get("data_fingerprint"), prepared.dataset.fingerprint
    if before is not None and before != now:
        raise RunError(
            f"the data changed since {folder.path} was started (fingerprint {before[:12]}, now {now[:12]}); "
            "start a new run with `irisrec train CONFIG --out NEW`"
        )
    save_dataset(folder.path, prepared.dataset, prepared.split)
    if prepared.features:
        save_features(folder.path, prepared.features, prepared.present, prepared.scalers)
        prepared.encoded.save_encoders(folder.encoders)
    if prepared.encoded.failures:
        prepared.encoded.write_report(folder.failures)
    notes = [*prepared.dataset.notes, *prepared.split.notes, *prepared.encoded.notes]
    folder.update_info(
        data_fingerprint=now,
        data={
            "users": prepared.dataset.n_users,
            "items": prepared.dataset.n_items,
            "interactions": prepared.dataset.n_interactions,
        },
        encoders=prepared.encoded.specs,
        notes=[note.to_json() for note in notes],
    )


def tell(notes: Iterable[Note]) -> None:
    """Say notes, warnings as such."""
    for note in notes:
        say(f"{'warning: ' if note.warning else ''}{note}")


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 3) if values else None
