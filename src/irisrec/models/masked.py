"""A trained model without some of its modalities: it scores as if no item had them."""

from __future__ import annotations

import copy
from collections.abc import Collection

import torch

from irisrec.errors import ModelError, closest
from irisrec.models.contract import Scorer
from irisrec.models.features import PRESENT, VALUES, held_modalities
from irisrec.models.item_similarity import ItemSimilarity


def without(model: Scorer, modalities: Collection[str]) -> Scorer:
    """Return the model as it is when no item has these modalities; weights are shared, and the model stays whole.

    Raises:
        ModelError: a modality that the model does not read.
    """
    known = held_modalities(model)
    for name in modalities:
        if name not in known:
            raise ModelError(
                f"the model reads {', '.join(known) or 'no modality'}, not {name!r}{closest(name, known)}"
            )
    masked = copy.copy(model)
    masked._buffers = dict(model._buffers)  # of its own: a shallow copy has the model's
    for name in modalities:
        masked._buffers[VALUES + name] = torch.zeros_like(model.get_buffer(VALUES + name))
        masked._buffers[PRESENT + name] = torch.zeros_like(model.get_buffer(PRESENT + name))
    if isinstance(model, ItemSimilarity) and isinstance(masked, ItemSimilarity) and model.adds_by_content():
        assert model.ridge is not None
        masked._regression = model.regression  # of the content that the weights were found with
        masked._modules = dict(model._modules)
        masked.ridge = model.ridge.standing_in(model.regression, masked.features)
    return masked
