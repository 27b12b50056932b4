"""What has to be known to read the numbers of a reproduction: protocol, what differs from the paper, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irisrec.data.dataset import Dataset
from irisrec.errors import count_of, listed
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.paper.numbers import statistics_of
from irisrec.experiments.paper.settings import OURS, PAPER_OPTIONS, K, Mode
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.paper.workshop import Measured, Workshop
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.headline import split_in_words
from irisrec.experiments.reporting.numbers import protocol_in_words
from irisrec.experiments.reporting.words import bytes_in_words, seconds_in_words
from irisrec.experiments.results.place import Place
from irisrec.experiments.tuning.output import values_in_words

PAPER_ENCODERS = {"image": "ResNet-50 (2,048 numbers)", "text": "BERT (768 numbers)"}
_TOLD_ELSEWHERE = {"model.modalities", "training.seed"}


def protocol(folder: RunFolder) -> list[str]:
    """Say what was held out and what it was ranked among."""
    run = FinishedRun.load(folder)
    protocols = [protocol_in_words(name, run) for name in run.evaluation["protocols"] if name != "full"]
    return [split_in_words(run.config.split, run), *protocols]


def about(source: Source, workshop: Workshop, measured: Mapping[str, Measured]) -> dict[str, list[str]]:
    """Return what every exhibit with runs says last: what differs, the settings, where the runs lie."""
    ours = list(measured.values())
    return {
        "What differs from the paper": [
            *_data(source, workshop.dataset(source)),
            *_encoders(ours),
            *_training(workshop, measured),
        ],
        "Settings": _settings_of(workshop, measured),
        "Runs": [
            f"{name}: " + ", ".join(_run_in_words(folder) for folder in one.folders)
            for name, one in measured.items()
        ],
    }


def _data(source: Source, dataset: Dataset) -> list[str]:
    """Say how the data differ from the paper's."""
    theirs = statistics_of(source.plays)
    assert theirs is not None
    counts = (
        f"{count_of(dataset.n_users, 'user')}, {count_of(dataset.n_items, 'item')}, "
        f"{count_of(dataset.n_interactions, 'interaction')}"
    )
    paper = f"{theirs['users']:,}, {theirs['items']:,} and {theirs['interactions']:,}"
    if source.name != source.plays:
        return [
            f"{source.words} ({counts}) stand in for the paper's {source.plays.capitalize()} ({paper}): its numbers "
            "are shown for orientation and cannot be compared."
        ]
    return [f"{source.words}: {counts}; in the paper {paper}."]


def _encoders(measured: Sequence[Measured]) -> list[str]:
    """Say which encoders made the vectors, and which the paper's."""
    used: dict[str, dict[str, Any]] = {}
    for one in measured:
        used |= one.folders[0].read_info().get("encoders") or {}
    return [
        f"The vectors of the modality {modality} come from {spec['encoder']}"
        + (f" with {model}" if (model := spec.get("settings", {}).get("model")) else "")
        + f" ({spec['dim']:,} numbers); in the paper from {PAPER_ENCODERS.get(modality, 'nothing')}."
        for modality, spec in used.items()
    ]


def _training(workshop: Workshop, measured: Mapping[str, Measured]) -> list[str]:
    """Say how training differs from the paper's."""
    configs = [one.config.training for one in measured.values()]
    ours = [name for name, one in measured.items() if set(OURS) & set(one.config.chosen())]
    extended = [f"With extensions that are not the paper's: {listed(ours)}."] if ours else []
    if workshop.mode == "tuned":
        return [
            "Tuned, not as in the paper: the loss is its exact expectation over all items, with a one-cycle learning "
            "rate and the options below.",
            *extended,
        ]
    if workshop.mode == "given":
        return [
            "The runs were made before, each with its own settings below and not with the paper's; unless they say "
            "that negatives are sampled or shared, the loss is its exact expectation over all items.",
            *extended,
        ]
    epochs = sorted({f"{c.epochs} epochs at most, patience {c.patience}" for c in configs})
    batches = sorted({c.batch_users for c in configs})
    return [
        f"A step takes {listed([str(b) for b in batches])} users with all their positives and {K} negatives for each, "
        "where the paper takes 512 samples.",
        f"Training stops by validation NDCG@10 over all items ({'; '.join(epochs)}); the paper stops by validation and "
        "says no more.",
        *(["FISM has no user bias: it moves no ranking."] if "FISM" in measured else []),
        *extended,
    ]


def _settings_of(workshop: Workshop, measured: Mapping[str, Measured]) -> list[str]:
    """Say the budget and the chosen values of each method, or what all of them share and what is a method's own."""
    if workshop.mode == "tuned":
        return [
            _budget(workshop),
            *(f"{name}: {_chosen(one.study)}" for name, one in measured.items() if one.study),
        ]
    shared = _shared([one.config for one in measured.values()])
    sentences = [f"All: {values_in_words(shared)}; everything else is our default."]
    for name, one in measured.items():
        own = {option: v for option, v in _settings(one.config).items() if option not in shared}
        sentences += [f"{name}: {values_in_words(own)}."] if own else []
    return sentences


def mode_in_words(mode: Mode) -> str:
    """Return a few words for a title."""
    return {"as-in-paper": "as in the paper", "tuned": "tuned", "given": "from given runs"}[mode]


def _run_in_words(folder: RunFolder) -> str:
    run = FinishedRun.load(folder)
    time, memory = (
        seconds_in_words(run.info["training_seconds"]),
        bytes_in_words(run.info["peak_memory_bytes"]),
    )
    place = Place.of(run)
    on = place.gpu or f"{count_of(place.threads, 'thread')} of a processor"
    return f"`{folder.path.name}` (trained in {time} on {on}, at most {memory})"


def _budget(workshop: Workshop) -> str:
    budget = workshop.budget
    time = "" if budget.seconds is None else f", ended after {budget.seconds:g} s of trials"
    trials = count_of(budget.trials, "trial")
    return f"Every method was tuned on validation NDCG@10 over all items: {trials} each{time}."


def _chosen(study: Mapping[str, Any]) -> str:
    best = study["best"]
    return (
        f"{count_of(study['finished'], 'trial')} in {study['seconds']:.0f} s, best trial {best['trial']} with "
        f"{study['objective'].replace('ndcg', 'NDCG')} {best['value']:.4f}: "
        f"{values_in_words(best['options']) or 'nothing to choose'}."
    )


def _settings(config: ExperimentConfig) -> dict[str, Any]:
    """Return what the paper sets, and what else is not at our default."""
    wanted = {*PAPER_OPTIONS, *config.chosen()} - _TOLD_ELSEWHERE
    return {option: value for option, value in config.options().items() if option in wanted}


def _shared(configs: Sequence[ExperimentConfig]) -> dict[str, Any]:
    first, *others = (_settings(config) for config in configs)
    return {o: v for o, v in first.items() if all(o in other and other[o] == v for other in others)}
