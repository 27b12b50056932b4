"""Items added to a trained model: what they are in it comes from their content alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from irisrec.errors import ModelError
from irisrec.models.contract import Scorer
from irisrec.models.features import PRESENT, VALUES
from irisrec.models.item_similarity import ItemSimilarity


def require_growing(model: Scorer) -> ItemSimilarity:
    """Return the model if items can be added to it.

    Raises:
        ModelError: a model that learns items by their ids.
    """
    if isinstance(model, ItemSimilarity) and model.takes_new_items:
        return model
    raise ModelError(
        f"{type(model).__name__} learns items by their ids and knows nothing of a new one; train an IRIS model with "
        "model.content_factors = true, or with model.ridge = 100"
    )


@torch.no_grad()
def with_new_items(
    model: Scorer, features: Mapping[str, Tensor], present: Mapping[str, Tensor]
) -> ItemSimilarity:
    """Return a model of more items, the new ones after the old; whatever both have in common is shared.

    Scores of old items for histories of old items stay what they are.

    Args:
        model: trained; not changed.
        features: {modality: (k, F)}, of all modalities of the model, vectors as the encoder made them.
        present: {modality: (k,) bool}.

    Raises:
        ModelError: a model that learns items by their ids, or vectors of another width.
    """
    old = require_growing(model)
    n_new = len(next(iter(present.values())))
    new = _sharing(old)
    new.n_items, new.n_added = old.n_items + n_new, old.n_added + n_new
    new.history_factors = _followed_by_zeros(old.history_factors, n_new)
    new.candidate_factors = _followed_by_zeros(old.candidate_factors, n_new)
    if old.bias is not None:
        new.bias = _followed_by_zeros(old.bias, n_new)
    new.trained = torch.cat([old.trained, old.trained.new_zeros(n_new)])
    scaled = {}
    for name in old.modalities:
        values, mask = features[name], present[name]
        width = old.features[name].shape[1]
        if values.shape != (n_new, width):
            raise ModelError(
                f"{name}: the model reads vectors of {width:,} numbers, got shape {tuple(values.shape)}"
            )
        scaled[name] = old.scalers[name](values) * mask[:, None]
        setattr(new, VALUES + name, torch.cat([old.features[name], scaled[name]]))
        setattr(new, PRESENT + name, torch.cat([old.present[name], mask]))
    if old.ridge is not None:
        regression = old.regression  # which `new` shares
        new._regression = regression
        new.ridge = old.ridge.grown(regression, regression.shares(scaled))
    return new.eval()


def _sharing(model: ItemSimilarity) -> ItemSimilarity:
    """Return a model with the same parameters, buffers and parts, which can be replaced one by one."""
    new = copy.copy(model)
    new._parameters, new._buffers = dict(model._parameters), dict(model._buffers)
    new._modules = dict(model._modules)
    return new


def _followed_by_zeros(values: nn.Parameter, n: int) -> nn.Parameter:
    return nn.Parameter(torch.cat([values, values.new_zeros(n, *values.shape[1:])]))
