"""Going on from a finished run with more data: its config for the new run, and what it hands over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from irisrec.data.dataset import Dataset, pairs_matrix
from irisrec.data.splits import Split
from irisrec.errors import ConfigError, DataError, ModelError, RunError, count_of, some
from irisrec.experiments.config import ExperimentConfig, StartConfig, apply_override, read_toml
from irisrec.experiments.folder import RunFolder
from irisrec.features.encoders.base import Encoder
from irisrec.features.saved import load_encoder
from irisrec.ids import IdMap
from irisrec.models.features import FeatureScaler
from irisrec.models.storage import load_model
from irisrec.models.trainable import Trainable
from irisrec.notes import Note
from irisrec.recommendation.storage import load_split
from irisrec.sums import fingerprint_of_sealed

SHARE_OF_EPOCHS = 4  # a continued run has one in so many of the epochs of the run it goes on from
OPEN = ("data", "split", "training", "evaluation")  # sections that may be other than the run's


def continued(run: Path, data: Path, overrides: Iterable[str] = ()) -> ExperimentConfig:
    """Return the config of a new run that goes on from a finished one.

    It is the config of that run with other data, a quarter of the epochs, and the section [start].

    Args:
        run: folder of the finished run.
        data: the data as they are now, old and new together: a folder with the same files as before, which takes the
            place of ``data.root``; or a TOML file whose section [data], and [split] if there, take the place of the
            run's.
        overrides: ``section.key=value``, for the sections data, split, training and evaluation.

    Raises:
        ConfigError: whatever would change the model or its content.
        ModelError: a model that is not trained by gradients.
    """
    run = Path(run).expanduser().absolute()
    folder = RunFolder(run)
    folder.require()
    before = ExperimentConfig.load(folder.config)
    values = before.model_dump(mode="json", exclude_none=True) | _data(Path(data), before)
    values["training"]["epochs"] = max(1, round(before.training.epochs / SHARE_OF_EPOCHS))
    for override in overrides:
        section = override.partition(".")[0].strip()
        if section not in OPEN:
            raise ConfigError(
                f"--set {override}: a run that goes on keeps the model and the content it has learned from, and only "
                f"{', '.join(OPEN)} may change; train from scratch with `irisrec train CONFIG --out NEW`"
            )
        apply_override(values, override)
    _model_of(run)
    start = StartConfig(run=run, fingerprint=fingerprint_of_sealed(run))
    return ExperimentConfig.read(values | {"start": start.model_dump(mode="json")})


def _data(data: Path, before: ExperimentConfig) -> dict[str, Any]:
    if data.is_dir():
        if before.data.source == "shop":
            raise ConfigError(
                "the built-in shop of the run is generated and has no folder of files; give a TOML file with [data]"
            )
        root = str(data.expanduser().absolute())
        return {"data": before.data.model_dump(mode="json", exclude_none=True) | {"root": root}}
    if not data.exists():
        raise ConfigError(
            f"there is neither a folder nor a file {data}; --data needs the data as they are now"
        )
    values = read_toml(data)
    if others := values.keys() - {"data", "split"}:
        raise ConfigError(
            f"{data} has the section [{']['.join(sorted(others))}], the run goes on with its own; leave only [data], "
            "and [split] where it changes, and change training and evaluation with --set"
        )
    if "data" not in values:
        raise ConfigError(f"{data} has no section [data]")
    return values


@dataclass(frozen=True)
class Start:
    """What a finished run hands over to the one that goes on from it.

    Attributes:
        run: its folder.
        weights: by name.
        scalers: {modality: what its vectors were scaled by}.
        items, users: in the order of its rows.
        fitted, chosen: (users, items) what it was fitted to, and what its epochs were chosen by.
    """

    run: Path
    weights: Mapping[str, Tensor]
    scalers: Mapping[str, FeatureScaler]
    items: IdMap
    users: IdMap
    fitted: csr_matrix
    chosen: csr_matrix

    @classmethod
    def load(cls, config: ExperimentConfig) -> Self | None:
        """Read the run that a config starts from; None where it starts from nothing."""
        if config.start is None:
            return None
        run = config.start.run
        if not run.is_dir():
            raise RunError(
                f"this run goes on from {run}, which is not there; put it back, or train from scratch"
            )
        if (found := fingerprint_of_sealed(run)) != config.start.fingerprint:
            raise RunError(
                f"{run} is not what it was when this run went on from it (fingerprint {found[:12]}, then "
                f"{config.start.fingerprint[:12]}); go on from it anew with `irisrec train --continue {run}`"
            )
        model = _model_of(run)
        before = ExperimentConfig.load(RunFolder(run).config)
        if changed := [
            name for name in before.differences(config) if name.startswith(("model.", "features."))
        ]:
            raise ConfigError(
                f"{run} has learned with another model or other content: {some(changed)}; train from scratch with "
                "`irisrec train CONFIG --out NEW`"
            )
        catalog, users, split = load_split(run)
        weights = {name: weight.detach() for name, weight in model.named_parameters()}
        items = IdMap(catalog.frame["item_id"], "item")
        return cls(run, weights, model.scalers, items, users, split.train, split.validation)

    def encoders(self, modalities: Iterable[str], root: Path) -> dict[str, Encoder]:
        """Rebuild the encoders of the run, so that the same content gets the same vectors."""
        folder = RunFolder(self.run).encoders
        return {name: load_encoder(folder / name, root) for name in modalities}

    def notes(self, dataset: Dataset) -> list[Note]:
        """Say what is new; items of the run that are gone are an error.

        Raises:
            DataError: as said.
        """
        gone = self.items.series.filter(dataset.items.lookup(self.items.series) < 0)
        if len(gone):
            raise DataError(
                f"{count_of(len(gone), 'item')} of {len(self.items):,} that {self.run} knows "
                f"{'is' if len(gone) == 1 else 'are'} not among the {dataset.n_items:,} of the new data: "
                f"{some(gone.head(3))}; keep them in the catalog (data.filters.unseen_items = 'keep' keeps those "
                "without interactions), or train from scratch"
            )
        notes = []
        for noun, mine, its in (("item", dataset.items, self.items), ("user", dataset.users, self.users)):
            fresh = mine.series.filter(its.lookup(mine.series) < 0)
            sentence = f"{count_of(len(fresh), noun)} of {len(mine):,} new since {self.run.name}"
            notes.append(Note.of(f"new_{noun}s", len(fresh), sentence, fresh.head(3)))
        lost = self.users.series.filter(dataset.users.lookup(self.users.series) < 0)
        if len(lost):
            sentence = f"{count_of(len(lost), 'user')} of {self.run.name} not in the new data: forgotten"
            notes.append(Note.of("lost_users", len(lost), sentence, lost.head(3), warning=True))
        return notes

    def unlearned(self, split: Split, dataset: Dataset) -> Split:
        """Keep as targets only pairs that the run has not learned, nor been chosen by; the others go to training.

        Raises:
            DataError: no target of the test is left.
        """
        fitted, chosen = (self._in(matrix, dataset) for matrix in (self.fitted, self.chosen))
        known_to = {"test": fitted + chosen, "validation": fitted}
        parts, train = {}, split.train
        n_known = 0
        for part, known in known_to.items():
            held_out = getattr(split, part)
            leaked = held_out.multiply(known > 0).tocsr()
            leaked.eliminate_zeros()
            n_known += leaked.nnz
            parts[part] = (held_out - leaked).tocsr()
            parts[part].eliminate_zeros()
            train = (train + leaked).tocsr()
        if not n_known:
            return split
        train.sort_indices()
        sentence = (
            f"{count_of(n_known, 'held-out interaction')} that {self.run.name} has learned or was chosen by: moved to "
            "training, not judged"
        )
        histories = split.histories
        if histories is not None:
            histories = ((histories + train) > 0).astype(np.float32).tocsr()
        moved = replace(split, **parts, train=train, histories=histories)
        if not moved.test.nnz:
            raise DataError(
                f"nothing is left to judge by: {sentence}; give newer data, or hold out what is new with "
                "--set split.strategy=time"
            )
        return replace(moved, notes=(*split.notes, Note.of("learned_targets", n_known, sentence)))

    def begin(self, model: Trainable, dataset: Dataset) -> None:
        """Give a model the weights of the run; what is new keeps the rows that its seed has drawn.

        New is also what the run knows and has learned nothing of, such as items that were added to it.
        """
        rows = []
        had = self.fitted.getnnz(axis=0), self.fitted.getnnz(axis=1)
        for mine, its, n in zip((dataset.items, dataset.users), (self.items, self.users), had, strict=True):
            found = its.lookup(mine.series)
            here = np.flatnonzero((found >= 0) & (n[found] > 0))
            rows.append((torch.from_numpy(here), torch.from_numpy(found[here])))
        model.take_over(self.weights, *rows)

    def _in(self, matrix: csr_matrix, dataset: Dataset) -> csr_matrix:
        """Return pairs of the run in the rows and columns of the new data."""
        pairs = matrix.tocoo()
        rows = dataset.users.lookup(self.users.series)[pairs.row]
        columns = dataset.items.lookup(self.items.series)[pairs.col]
        here = rows >= 0
        return pairs_matrix(rows[here], columns[here], (dataset.n_users, dataset.n_items))


def _model_of(run: Path) -> Trainable:
    model, config = load_model(run)
    if not isinstance(model, Trainable):
        raise ModelError(
            f"{config.name} is not trained by gradients, so there is nothing to go on from: it is fitted to all data "
            f"at once; fit it again with `irisrec train {run / 'config.toml'} --set data.root=NEW --out NEW`"
        )
    return model
