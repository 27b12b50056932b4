"""Ready vectors from a file, for any modality: audio, video, or pictures and texts encoded elsewhere."""

from __future__ import annotations

import numpy as np
import polars as pl

from irisrec.data.catalog import Catalog
from irisrec.errors import FeatureError
from irisrec.features.encoders.base import CatalogEncoder, EncodedColumns, EncoderSettings
from irisrec.ids import IdMap


class VectorsSettings(EncoderSettings):
    """Where the vectors are.

    Attributes:
        path: ``.npy`` with one row per id.
        ids: text file with one item id per line, in the order of the rows; None where the rows stand in catalog order.
    """

    path: str
    ids: str | None = None


class Vectors(CatalogEncoder):
    """Reads vectors that exist already."""

    name = "vectors"
    input = "vectors"
    Settings = VectorsSettings

    def encode_catalog(self, catalog: Catalog, modality: str) -> EncodedColumns:
        """Bring the vectors of the file into catalog order; an item without a row is not present."""
        path = self.root / self.settings.path
        if not path.is_file():
            raise FeatureError(f"{modality}: no file of vectors at {path}")
        values = np.load(path, allow_pickle=False).astype(np.float32)
        items = IdMap(catalog.frame["item_id"])
        ids = items if self.settings.ids is None else self._read_ids(items)
        if len(values) != len(ids):
            raise FeatureError(
                f"{modality}: one row per item id expected, got {len(ids):,} ids and shape {values.shape}"
            )
        rows = ids.lookup(items.series)
        present = rows >= 0
        aligned = np.zeros((len(items), values.shape[1]), np.float32)
        aligned[present] = values[rows[present]]
        return EncodedColumns(aligned, present, dict.fromkeys(np.flatnonzero(~present).tolist(), "no vector"))

    def _read_ids(self, items: IdMap) -> IdMap:
        lines = (self.root / self.settings.ids).read_text(encoding="utf-8").split()
        return IdMap(pl.Series(lines).cast(items.series.dtype))
