"""Ready vectors from a file, for any modality: audio, video, or pictures and texts encoded elsewhere."""

from __future__ import annotations

import numpy as np

from irisrec.data.catalog import Catalog
from irisrec.data.sources.vectors import load_vectors
from irisrec.errors import FeatureError, count_of, some
from irisrec.features.encoders.base import NO_VECTOR, CatalogEncoder, EncodedColumns, EncoderSettings
from irisrec.ids import IdMap
from irisrec.notes import Note


class VectorsSettings(EncoderSettings):
    """Where the vectors are.

    Attributes:
        path: ``.npy``, ``.npz`` or ``.parquet``, as `load_vectors` reads them.
        ids: for ``.npy`` the file of item ids, in the order of the rows.
        id_column: name of the column of ids.
    """

    path: str
    ids: str | None = None
    id_column: str = "item_id"


class Vectors(CatalogEncoder):
    """Reads vectors that exist already; an item without one is not present."""

    name = "vectors"
    input = "vectors"
    Settings = VectorsSettings

    def encode_catalog(self, catalog: Catalog, modality: str) -> EncodedColumns:
        """Bring the vectors of the file into catalog order."""
        items = IdMap(catalog.frame["item_id"], "item")
        path, ids = self.root / self.settings.path, self.settings.ids
        given, vectors = load_vectors(
            path, self.root / ids if ids else None, id_column=self.settings.id_column, id_type=items.kind
        )
        rows = given.lookup(items.series)
        present = rows >= 0
        if not present.any():
            raise FeatureError(
                f"{modality}: none of the {len(items):,} items has a vector in {path.name}; items are such as "
                f"{some(items.series.head(2))}, the vectors are of {some(given.series.head(2))}"
            )
        self._tell_unused(given, items, modality)
        values = np.zeros((len(items), vectors.shape[1]), np.float32)
        values[present] = vectors[rows[present]]
        absent = np.flatnonzero(~present).tolist()
        return EncodedColumns(values, present, dict.fromkeys(absent, NO_VECTOR))

    def _tell_unused(self, given: IdMap, items: IdMap, modality: str) -> None:
        self.notes = []
        unused = given.series.filter(~given.series.is_in(items.series.implode()))
        if len(unused):
            sentence = f"{modality}: {count_of(len(unused), 'vector')} of items not in the catalog left out"
            self.notes.append(Note.of("vectors_unused", len(unused), sentence, unused.head(3)))
