"""What a model cannot judge: users and items that its training never saw."""

from __future__ import annotations

import numpy as np

from irisrec.data.splits import Split
from irisrec.errors import ModelError, count_of
from irisrec.models.contract import Scorer
from irisrec.notes import Note


def unseen_notes(model: Scorer, split: Split, part: str) -> list[Note]:
    """Say where targets are of items that the model cannot know.

    Raises:
        ModelError: a model that learns something per user, and users held out as a whole.
    """
    targets = split.test if part == "test" else split.validation
    if split.histories is not None and model.knows_users_only:
        cold = int(((np.diff(targets.indptr) > 0) & (np.diff(split.train.indptr) == 0)).sum())
        if cold:
            raise ModelError(
                f"{type(model).__name__} learns something for each user and cannot score {count_of(cold, 'user')} "
                "wholly held out; choose a model that needs no more than a history, or another split.strategy"
            )
    if model.scores_cold_items:
        return []
    seen = np.bincount(split.train.indices, minlength=split.train.shape[1]) > 0
    n_cold = int((~seen[targets.indices]).sum())
    if not n_cold:
        return []
    sentence = (
        f"{count_of(n_cold, 'target')} of {targets.nnz:,} of items without training interactions: "
        f"{type(model).__name__} learns items by their ids and ranks these by chance"
    )
    return [Note.of("targets_of_unseen_items", n_cold, sentence, warning=True)]
