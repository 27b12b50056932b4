"""New items: what is given of them becomes rows of a catalog and vectors of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from irisrec.data.catalog import RESERVED, Catalog
from irisrec.errors import DataError, FeatureError, closest, count_of, listed, some
from irisrec.features.encoders.base import Encoder
from irisrec.features.new_items import encode_new
from irisrec.files import sha256
from irisrec.ids import Id, IdMap
from irisrec.models.contract import Scorer
from irisrec.models.growing import require_growing


@dataclass(frozen=True)
class NewItem:
    """An item that nobody had yet.

    Attributes:
        item_id: an id that the catalog does not have.
        title: for people; the id where not given.
        content: {modality: its content}: a picture as the path or the bytes of its file, a text, or a vector as the
            run's encoder would have made it.
        columns: values of other columns of the catalog: for rules, and for a modality made of columns.
    """

    item_id: Id
    title: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewRows:
    """New items, ready to be joined to a catalog and a model.

    Attributes:
        catalog: of the new items, with the columns and types of the old one.
        features, present: {modality: (k, F)} as the encoders make them, and {modality: (k,) bool}.
    """

    catalog: Catalog
    features: dict[str, Tensor]
    present: dict[str, Tensor]

    @property
    def fingerprint(self) -> str:
        """A hash of their ids and vectors."""
        ids = [str(id) for id in self.catalog.frame["item_id"].to_list()]
        return sha256(*ids, *(values.numpy().tobytes() for values in self.features.values()))


def read_new_items(
    items: Sequence[NewItem],
    catalog: Catalog,
    known: IdMap,
    model: Scorer,
    encoders: Mapping[str, Encoder],
    root: Path = Path(),
) -> NewRows:
    """Check and encode new items.

    Args:
        items: at least one.
        catalog: of the items that are there.
        known: their ids.
        model: that they are for.
        encoders: of the run, by modality.
        root: folder that relative paths of pictures start from.

    Raises:
        DataError: ids that are there already or stand twice, columns that the catalog does not have.
        FeatureError: no content, or content that cannot be encoded.
        ModelError: a model that cannot take new items.
    """
    able = require_growing(model)
    if not items:
        raise DataError("there is no item to add; give at least one")
    _check_ids(items, known)
    _check_modalities(items, able.modalities)
    new = _catalog_of(items, catalog, encoders)
    features, present = {}, {}
    for name in able.modalities:
        contents = [item.content.get(name) for item in items]
        width = able.features[name].shape[1]
        values, mask = encode_new(name, encoders.get(name), new, contents, width, root)
        features[name], present[name] = torch.from_numpy(values), torch.from_numpy(mask)
    empty = np.flatnonzero(~torch.stack(list(present.values())).any(0).numpy())
    if len(empty):
        raise FeatureError(
            f"{count_of(len(empty), 'new item')} {'has' if len(empty) == 1 else 'have'} no content "
            f"({some(items[int(row)].item_id for row in empty)}): an item that nobody had is known by its "
            f"{listed(able.modalities)} alone; give it one of them"
        )
    return NewRows(new, features, present)


def _check_ids(items: Sequence[NewItem], known: IdMap) -> None:
    ids = [item.item_id for item in items]
    if odd := [id for id in ids if isinstance(id, str) != (known.kind == "string") or isinstance(id, bool)]:
        raise DataError(f"ids of items here are {known.kind}s, got {some(odd)}")
    if there := [id for id in ids if id in known]:
        raise DataError(
            f"{count_of(len(there), 'new item')} {'is' if len(there) == 1 else 'are'} in the catalog already: "
            f"{some(there)}; give new ids"
        )
    IdMap(ids, "new item")  # refuses those that stand twice


def _check_modalities(items: Sequence[NewItem], modalities: Sequence[str]) -> None:
    for item in items:
        for name in item.content:
            if name not in modalities:
                raise FeatureError(
                    f"item {item.item_id!r} has content named {name!r}{closest(name, modalities)}; the model reads "
                    f"{listed(modalities)}"
                )


def _catalog_of(items: Sequence[NewItem], catalog: Catalog, encoders: Mapping[str, Encoder]) -> Catalog:
    """Build rows with the columns and types of a catalog; texts and paths of pictures are kept in it."""
    types = catalog.frame.schema
    free = [name for name in types if name not in RESERVED]
    for item in items:
        for column in item.columns:
            if column not in free:
                raise DataError(
                    f"item {item.item_id!r} has a value for {column!r}{closest(column, free)}, the catalog has "
                    f"{'the other columns ' + ', '.join(free) if free else 'no other columns'}"
                )
    given: dict[str, list[Any]] = {
        "item_id": [item.item_id for item in items],
        "title": [item.title for item in items],
        "text": [_kept(item, encoders, "text") for item in items],
        "picture": [_kept(item, encoders, "picture") for item in items],
    }
    given |= {name: [item.columns.get(name) for item in items] for name in free}
    columns = []
    for name, values in given.items():
        try:
            columns.append(pl.Series(name, values, types[name], strict=True))
        except (TypeError, pl.exceptions.PolarsError):
            raise DataError(
                f"values of column {name!r} of the new items must be like the catalog's, {types[name]}, got "
                f"{some(value for value in values if value is not None)}"
            ) from None
    return Catalog.of(pl.DataFrame(columns))


def _kept(item: NewItem, encoders: Mapping[str, Encoder], kind: str) -> str | None:
    """Return the content of the modality that is read from the catalog's own column of texts or pictures."""
    for name, content in item.content.items():
        encoder = encoders.get(name)
        is_kind = encoder is not None and encoder.input == kind and encoder.settings.source in (None, kind)
        if is_kind and isinstance(content, str | Path):
            return str(content)
    return None
