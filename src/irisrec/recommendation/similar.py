"""Similar items: by what the model has learned, by relevance, or by the vectors of a modality."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from irisrec.errors import DataError, ModelError, closest
from irisrec.ids import Id
from irisrec.models.contract import Scorer
from irisrec.recommendation.rules import LEARNED

RELEVANCE = "relevance"


@dataclass(frozen=True)
class SimilarItem:
    """An item that is like another one.

    Attributes:
        item_id, title: of the item.
        similarity: by what was asked for: a cosine, or a relevance.
    """

    item_id: Id
    title: str
    similarity: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def ways_of(model: Scorer) -> list[str]:
    """Return by what items can be compared; not every model has learned anything of the first two."""
    return [LEARNED, RELEVANCE, *model.content_vectors]


def similarities(model: Scorer, row: int, by: str, title: str) -> Tensor:
    """Return (N,) how similar all items are to the item of a row, -inf for those that cannot be compared.

    Args:
        model: trained.
        row: the query item.
        by: ``learned``, the cosine of what the model has learned of items as candidates; ``relevance``, how much the
            query item as the only one of a history counts for each; or a modality, the cosine of its vectors as the
            model reads them.
        title: of the query item, for messages.

    Raises:
        ModelError: a model that does not have what is asked for.
        DataError: a query item that does not have the modality.
    """
    every = torch.arange(model.n_items)
    if by == LEARNED:
        found = _cosines(model.candidate_vectors(every), row)
    elif by == RELEVANCE:
        found = _relevance(model, row)
    else:
        found = _by_content(model, row, by, title)
    found[row] = -torch.inf
    return found


def _relevance(model: Scorer, row: int) -> Tensor:
    relevance = model.reasons(torch.tensor([row]), torch.arange(model.n_items)).relevance[0].clone()
    others = torch.cat([relevance[:row], relevance[row + 1 :]])
    if len(others) and bool((others == others[0]).all()):
        raise ModelError(
            f"{type(model).__name__} gives an item the same relevance for all others, {float(others[0]):g}, where it "
            f"is alone in a history; compare by {LEARNED!r}"
        )
    return relevance


def _by_content(model: Scorer, row: int, by: str, title: str) -> Tensor:
    vectors, masks = model.content_vectors, model.content_masks
    if by not in vectors:
        known = ways_of(model)
        raise ModelError(
            f"items of this model cannot be compared by {by!r}{closest(by, known)}; it has {', '.join(known)}"
        )
    if not masks[by][row]:
        raise DataError(f"{title} has no {by} to compare others with; compare by {LEARNED!r}")
    return torch.where(masks[by], _cosines(vectors[by], row), -torch.inf)


def _cosines(vectors: Tensor, row: int) -> Tensor:
    units = torch.nn.functional.normalize(vectors, dim=1)
    return units @ units[row]
