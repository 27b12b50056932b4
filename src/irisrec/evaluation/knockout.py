"""Modality knockout: what is left of a model's ranking when a modality says nothing, something false, or noise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor

from irisrec.errors import ModelError, closest
from irisrec.models.contract import Scorer
from irisrec.models.features import held_features, held_masks, held_modalities, replaced

Way = Literal["removed", "shuffled", "noise"]
WAYS: tuple[Way, ...] = get_args(Way)
IN_WORDS: dict[Way, str] = {
    "removed": "taken away from all items",
    "shuffled": "exchanged between items",
    "noise": "replaced by noise",
}


def altered(values: Tensor, present: Tensor, way: Way, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return vectors (N, F) and mask (N,) with the content knocked out.

    ``removed``: no item has the modality. ``shuffled``: the items that have it get one another's vectors, so that
    their distribution stays and only the link between item and content is cut. ``noise``: normal noise with the
    mean and spread of each dimension.
    """
    if way == "removed":
        return torch.zeros_like(values), torch.zeros_like(present)
    generator = torch.Generator().manual_seed(seed)
    rows = present.nonzero()[:, 0].cpu()
    known, changed = values[rows].cpu(), values.clone()
    if way == "shuffled":
        new = known[torch.randperm(len(rows), generator=generator)]
    else:
        noise = torch.randn(known.shape, generator=generator, dtype=known.dtype)
        new = known.mean(0) + noise * known.std(0, correction=0)
    changed[rows] = new.to(values.device)
    return changed, present


@contextmanager
def knocked_out(model: Scorer, modality: str, way: Way, seed: int = 0) -> Iterator[None]:
    """Knock a modality out of a trained model, in place, until the end of the block.

    Raises:
        ModelError: a model that does not read the modality.
    """
    known = held_modalities(model)
    if modality not in known:
        raise ModelError(
            f"the model reads {', '.join(known) or 'no modality'}, not {modality!r}{closest(modality, known)}"
        )
    whole = held_features(model, (modality,))[modality], held_masks(model, (modality,))[modality]
    with replaced(model, {modality: altered(*whole, way, seed)}):
        yield
