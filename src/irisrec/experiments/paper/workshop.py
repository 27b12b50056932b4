"""The runs behind the tables: made once, kept as ordinary run folders, gone on with after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irisrec.data.dataset import Dataset
from irisrec.errors import FeatureError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.finished_run import finished_run
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.paper.given import GivenRuns
from irisrec.experiments.paper.methods import Method
from irisrec.experiments.paper.settings import OURS, Mode, config_of, option_of, users_per_step
from irisrec.experiments.paper.sources import Source
from irisrec.experiments.seeds import OverSeeds
from irisrec.experiments.tuning.folder import StudyFolder
from irisrec.experiments.tuning.study import Budget
from irisrec.experiments.tuning.tune import tuned
from irisrec.models.options import FIXED_MODALITIES
from irisrec.progress import say


@dataclass(frozen=True)
class Measured(OverSeeds):
    """A method on a data set: its finished runs, one per seed.

    Attributes:
        config: of the runs, but for the seed.
        folders: of the runs.
        study: content of ``study.json`` where the config was tuned.
    """

    config: ExperimentConfig
    folders: tuple[RunFolder, ...]
    study: Mapping[str, Any] | None = None

    @property
    def run_folders(self) -> tuple[RunFolder, ...]:
        """The folders of the runs."""
        return self.folders


@dataclass(frozen=True)
class Workshop:
    """Makes runs, or finds them made.

    Attributes:
        out: folder of the reproduction; runs go to ``runs``, studies to ``studies``.
        mode: as in the paper, tuned, or given: runs that were trained before.
        budget: of every study; read in the tuned mode alone.
        n_seeds: runs per method, with seeds 0, 1, ….
        overrides: of the user, for all runs.
        only: methods of the paper that tables are made of; all where it is empty.
        given: where the mode says so.
    """

    out: Path
    mode: Mode
    budget: Budget = field(default_factory=lambda: Budget(1))
    n_seeds: int = 1
    overrides: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    given: GivenRuns | None = None
    _datasets: dict[str, Dataset] = field(default_factory=dict, repr=False)

    def dataset(self, source: Source) -> Dataset:
        """Read the data of a source, once."""
        if source.name not in self._datasets:
            self._datasets[source.name] = source.load()
        return self._datasets[source.name]

    def config(
        self, source: Source, method: Method, options: Mapping[str, Any] | None = None
    ) -> ExperimentConfig:
        """Return what a method is trained with, or where its study begins."""
        batch = users_per_step(self.dataset(source)) if self.mode == "as-in-paper" else None
        return config_of(source, method, self.mode, options or {}, self.overrides, batch)

    def measure(self, source: Source, method: Method, options: Mapping[str, Any] | None = None) -> Measured:
        """Return the finished runs of a method with options such as ``model.dim``; make what is missing."""
        options = options or {}
        if self.given is not None:
            found = self.given.find(self.dataset(source), method, options)
            return Measured(found.runs[0].config, found.run_folders)
        config = self.config(source, method, options)
        if config.model.uses_features:
            _check_modalities(source, method, config)
        study = None
        if self.mode == "tuned":
            fixed = {*OURS, *method.options, *options, *map(option_of, self.overrides)}
            folder = self.study_folder(source, config, options)
            say(f"tuning {folder.path}")
            config, study = tuned(config, folder.path, self.budget, fixed=fixed)
        paths = self.run_paths(source, config, options)
        folders = [
            finished_run(config.having({"training.seed": seed}), path) for seed, path in enumerate(paths)
        ]
        return Measured(config, tuple(folders), study)

    def run_paths(self, source: Source, config: ExperimentConfig, options: Mapping[str, Any]) -> list[Path]:
        """Return where the runs of a method lie or are going to lie, by seed."""
        name = self._name(source, config, options)
        return [self.out / "runs" / f"{name}-{self.mode}-seed{seed}" for seed in range(self.n_seeds)]

    def study_folder(
        self, source: Source, config: ExperimentConfig, options: Mapping[str, Any]
    ) -> StudyFolder:
        """Return where the study of a method lies or is going to lie."""
        return StudyFolder(self.out / "studies" / self._name(source, config, options))

    def _name(self, source: Source, config: ExperimentConfig, options: Mapping[str, Any]) -> str:
        fixed_dim = self.mode == "as-in-paper" or "model.dim" in options
        return _name(source, config, fixed_dim=fixed_dim)


def _check_modalities(source: Source, method: Method, config: ExperimentConfig) -> None:
    wanted = config.model.modalities or FIXED_MODALITIES.get(config.model.name, ())
    if lacking := [name for name in wanted if name not in config.features]:
        raise FeatureError(
            f"{method.name} reads {' and '.join(lacking)}, which {source.words} has no encoder for"
        )


def _name(source: Source, config: ExperimentConfig, *, fixed_dim: bool) -> str:
    """Name a run after what tells it from the others: data, model, width where it is given, encoders."""
    parts = [source.name, config.model.name]
    if fixed_dim:
        parts.append(f"dim{config.model.dim}")
    for modality in config.model.modalities_of(tuple(config.features)):
        parts.append(encoder_name(config.features[modality]))
    return "-".join(parts)


def encoder_name(options: Mapping[str, Any]) -> str:
    """Name an encoder, and its pretrained model where it has one, for folders and tables."""
    model = str(options.get("model", "")).rstrip("/").rpartition("/")[2]
    return model or str(options.get("encoder") or "vectors")
