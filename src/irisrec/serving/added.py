"""Items that were added since the training: checked, and joined to the run that is served."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from irisrec.errors import DataError, IrisrecError, listed
from irisrec.recommendation.adding import NewItem
from irisrec.recommendation.recommender import Recommender
from irisrec.serving.served import Served, warm
from irisrec.serving.store.items import AddedItem

LOG = logging.getLogger("irisrec.serving")


def new_item(recommender: Recommender, item: AddedItem) -> NewItem:
    """Give each modality what its encoder reads: the picture as bytes, the text, or a vector; never a path.

    Raises:
        DataError: a picture or a text where nothing reads one.
    """
    given = {"picture": item.picture, "text": item.text}
    content: dict[str, Any] = {}
    for kind, value in given.items():
        readers = [name for name, encoder in recommender.encoders.items() if encoder.input == kind]
        if value is None:
            continue
        if not readers:
            raise DataError(
                f"item {item.item_id!r} has a {kind}, and no modality of this run reads one; give vectors of "
                f"{listed(list(recommender.model.content_masks)) or 'nothing, for it has no modalities'}"
            )
        content |= dict.fromkeys(readers, value)
    return NewItem(item.item_id, item.title, content | item.vectors, item.columns)


def joined(served: Served, items: Mapping[int, AddedItem]) -> Served:
    """Return the run with further items of the store, by number; one that it cannot take is logged and left out.

    An item that is in the catalog already, because a later run was trained with it, is taken from there.
    """
    recommender = served.recommender
    new = {n: item for n, item in items.items() if item.item_id not in recommender.items}
    ids = set(served.added)
    try:
        if new:
            recommender = recommender.add_items([new_item(recommender, item) for item in new.values()])
            ids |= {item.item_id for item in new.values()}
    except IrisrecError:
        for item in new.values():
            try:
                recommender = recommender.add_items([new_item(recommender, item)])
                ids.add(item.item_id)
            except IrisrecError as error:
                fields = {"item_id": item.item_id, "reason": str(error)}
                LOG.warning("an added item does not fit the run and is left out", extra={"fields": fields})
    grown = replace(
        served, recommender=recommender, numbers=served.numbers | set(items), added=frozenset(ids)
    )
    if recommender is not served.recommender:
        warm(grown)
    return grown
