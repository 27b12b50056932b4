"""A catalog and a config become feature tables: the one door through which content is encoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irisrec.data.catalog import Catalog
from irisrec.features.encoders.base import CatalogEncoder, ContentEncoder, Encoder
from irisrec.features.modality import ModalityResult, encode_columns, encode_contents
from irisrec.features.registry import make_encoder
from irisrec.features.saved import save_encoder
from irisrec.features.table import FeatureTable
from irisrec.files import write_text
from irisrec.ids import Id, IdMap
from irisrec.notes import Note

Failure = tuple[str, Id, str]


@dataclass(frozen=True)
class Encoded:
    """The vectors of a catalog, and the story of how they came about.

    Attributes:
        tables: one table per modality, in the catalog's item order.
        notes: what was encoded, taken from the store, missing, shortened or refused, counted.
        failures: (modality, item id, reason) of every item that has no vector.
        specs: per modality a JSON description of encoder, version, settings, width and the folder of its fitted state.
        encoders: the encoders themselves, fitted, ready for new items.
    """

    tables: dict[str, FeatureTable] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    failures: list[Failure] = field(default_factory=list)
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    encoders: dict[str, Encoder] = field(default_factory=dict)

    def save_encoders(self, folder: Path) -> None:
        """Write every encoder with its fitted state below ``folder``; `load_encoders` reads them back."""
        for modality, encoder in self.encoders.items():
            save_encoder(encoder, folder / modality, self.tables[modality].dim)

    def write_report(self, path: Path) -> None:
        """Write the failures as JSON lines: modality, item_id, reason."""
        lines = [
            json.dumps({"modality": modality, "item_id": item, "reason": reason}, ensure_ascii=False)
            for modality, item, reason in self.failures
        ]
        write_text(path, "".join(line + "\n" for line in lines))


def encode_catalog(
    catalog: Catalog,
    features: Mapping[str, Mapping[str, Any]],
    root: Path = Path(),
    store: Path | None = None,
) -> Encoded:
    """Encode every modality that the config names; an item that cannot be encoded is not present, with a reason.

    Args:
        catalog: the items; its order is the order of the tables.
        features: the ``[features.*]`` tables, one per modality.
        root: folder that relative paths of pictures and files of vectors start from.
        store: folder in which vectors are kept by content; None keeps nothing.

    Raises:
        ConfigError: an unknown encoder or option.
        FeatureError: an encoder that cannot work at all, for example a model that is not there.
    """
    encoders = {name: make_encoder(name, options, Path(root)) for name, options in features.items()}
    return encode_with(catalog, encoders, Path(root), store)


def encode_with(
    catalog: Catalog, encoders: Mapping[str, Encoder], root: Path = Path(), store: Path | None = None
) -> Encoded:
    """Encode a catalog with given encoders; one that was fitted before is used as it is, for new items."""
    items = IdMap(catalog.frame["item_id"], "item")
    encoded, notes = Encoded(encoders=dict(encoders)), []
    for modality, encoder in encoders.items():
        result = _encode(catalog, modality, encoder, root, store)
        table = FeatureTable(modality, items, result.values, result.present)
        encoded.tables[modality] = table
        encoded.failures.extend(
            (modality, items.ids([row])[0], why) for row, why in sorted(result.reasons.items())
        )
        encoded.specs[modality] = {
            **encoder.identity(),
            "input": encoder.input,
            "source": encoder.settings.source,
            "dim": table.dim,
            "state": str(result.state) if result.state else None,
        }
        notes += result.told(modality, encoder, items)
    return Encoded(encoded.tables, tuple(notes), encoded.failures, encoded.specs, encoded.encoders)


def _encode(
    catalog: Catalog, modality: str, encoder: Encoder, root: Path, store: Path | None
) -> ModalityResult:
    if isinstance(encoder, ContentEncoder):
        return encode_contents(catalog, modality, encoder, root, store)
    assert isinstance(encoder, CatalogEncoder)
    return encode_columns(catalog, modality, encoder)
