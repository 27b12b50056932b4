"""Content of new items to vectors, by encoders that were fitted before; whatever cannot be encoded is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisrec.data.catalog import Catalog
from irisrec.errors import FeatureError, count_of
from irisrec.features.encoders.base import CatalogEncoder, ContentEncoder, Encoder
from irisrec.features.modality import encode_given
from irisrec.ids import Id

Encoded = tuple[NDArray[np.float32], NDArray[np.bool_]]


def encode_new(
    modality: str,
    encoder: Encoder | None,
    catalog: Catalog,
    contents: Sequence[Any],
    width: int,
    root: Path = Path(),
) -> Encoded:
    """Return values (n, F) and present (n,) of one modality of n new items.

    Args:
        modality: its name.
        encoder: fitted; None where there is none, and vectors are needed.
        catalog: of the new items; what an encoder of columns reads.
        contents: of each item, None where it has none: a picture as the path or the bytes of its file, a text, or a
            vector as this encoder would have made it.
        width: F.
        root: folder that relative paths of pictures start from.

    Raises:
        FeatureError: content that cannot be encoded, vectors of another width or not finite.
    """
    ids = catalog.frame["item_id"].to_list()
    values, present = np.zeros((len(ids), width), np.float32), np.zeros(len(ids), bool)
    to_encode = []
    for row, content in enumerate(contents):
        if content is None:
            continue
        if isinstance(content, str | bytes | Path):
            to_encode.append(row)
        else:
            values[row], present[row] = _vector(modality, ids[row], content, width), True
    if isinstance(encoder, CatalogEncoder) and encoder.input == "columns":
        if to_encode:
            raise FeatureError(
                f"{modality} of item {ids[to_encode[0]]!r} is made of catalog columns, got "
                f"{contents[to_encode[0]]!r}; give their values, or a vector"
            )
        encoded, has = _from_columns(modality, encoder, catalog)
        rows = np.flatnonzero(has & ~present)
        values[rows], present[rows] = encoded[rows], True
    elif to_encode:
        values[to_encode] = _from_contents(
            modality, encoder, [ids[row] for row in to_encode], [contents[row] for row in to_encode], root
        )
        present[to_encode] = True
    return values, present


def _from_columns(modality: str, encoder: CatalogEncoder, catalog: Catalog) -> Encoded:
    values, present, _ = encoder.encode_catalog(catalog, modality)
    if warnings := [str(note) for note in encoder.notes if note.warning]:
        raise FeatureError("; ".join(warnings))
    return values, present


def _from_contents(
    modality: str, encoder: Encoder | None, ids: Sequence[Id], contents: Sequence[Any], root: Path
) -> NDArray[np.float32]:
    if not isinstance(encoder, ContentEncoder):
        raise FeatureError(
            f"{modality} of item {ids[0]!r} needs a vector: this model was trained with ready vectors, and has no "
            f"encoder for {str(contents[0])[:40]!r}"
        )
    if encoder.input == "text" and (odd := [i for i, c in enumerate(contents) if not isinstance(c, str)]):
        raise FeatureError(f"{modality} of item {ids[odd[0]]!r} must be a text, got {contents[odd[0]]!r}")
    given = [str(c) if isinstance(c, Path) else c for c in contents]
    result = encode_given(encoder, modality, given, root)
    if result.reasons:
        told = "; ".join(f"{ids[row]!r}: {why}" for row, why in sorted(result.reasons.items())[:3])
        raise FeatureError(
            f"{modality} of {count_of(len(result.reasons), 'new item')} cannot be encoded: {told} (mend it, or leave "
            "it out)"
        )
    return result.values


def _vector(modality: str, id: Id, content: Any, width: int) -> NDArray[np.float32]:
    try:
        vector = np.asarray(content, np.float32)
    except (TypeError, ValueError):
        raise FeatureError(
            f"{modality} of item {id!r} must be numbers, a text, or a picture, got {str(content)[:60]!r}"
        ) from None
    if vector.shape != (width,):
        raise FeatureError(
            f"{modality} of item {id!r} must be a vector of {width:,} numbers, got shape {vector.shape}"
        )
    if not np.isfinite(vector).all():
        raise FeatureError(f"{modality} of item {id!r} must be finite numbers, some are not")
    return vector
