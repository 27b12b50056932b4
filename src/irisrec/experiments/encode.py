"""The features of an experiment, apart from any training: encode them, read them back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from irisrec.data.catalog import Catalog
from irisrec.data.load import load_dataset
from irisrec.errors import ConfigError, RunError
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.features.encode import Encoded, encode_catalog
from irisrec.features.table import FeatureTable
from irisrec.features.vector_file import read_vectors, write_vectors
from irisrec.files import cache_folder
from irisrec.ids import IdMap


def encode_experiment(config: Path, overrides: Iterable[str], out: Path | None) -> tuple[Encoded, Path]:
    """Encode what a config names; return the result and the folder of the store.

    Args:
        config: TOML file.
        overrides: ``section.key=value``.
        out: folder for ``MODALITY.parquet``, ``encoders/`` and ``failures.jsonl``; None writes to the store only.
    """
    experiment = ExperimentConfig.load(config, overrides)
    if not experiment.features:
        raise ConfigError(f"{config} has no section [features.MODALITY], so there is nothing to encode")
    catalog = load_dataset(experiment.data).catalog
    store = cache_folder() / "features"
    encoded = encode_catalog(catalog, experiment.features, experiment.data.root.expanduser(), store)
    if out is not None:
        for name, table in encoded.tables.items():
            write_vectors(table, out / f"{name}.parquet")
        encoded.save_encoders(out / "encoders")
        encoded.write_report(out / "failures.jsonl")
    return encoded, store


def tables_of(source: Path, ids: Path | None = None) -> tuple[dict[str, FeatureTable], Catalog | None, Path]:
    """Return the tables of a run folder with its catalog and data root, or the table of a file of vectors."""
    if not source.is_dir():
        table = read_vectors(source, ids)
        return {table.modality: table}, None, Path()
    from irisrec.models.storage import load_features
    from irisrec.recommendation.storage import load_split

    folder = RunFolder(source)
    folder.require()
    catalog, _, _ = load_split(source)
    items = IdMap(catalog.frame["item_id"], "item")
    features, present = load_features(source)
    if not features:
        raise RunError(f"the model of {source} uses no features")
    tables = {
        name: FeatureTable(name, items, values.numpy(), present[name].numpy())
        for name, values in features.items()
    }
    return tables, catalog, ExperimentConfig.load(folder.config).data.root
