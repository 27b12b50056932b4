"""Splitting the reasons of many users at once gives what splitting them one by one gives."""

import pytest
import torch

from irisrec.models.histories import Histories
from irisrec.models.prepared import prepared
from tests.recommendation.small import random_model

HISTORIES = [[3], [0, 2, 5, 9, 11], [1, 4, 7], [0, 13]]
CANDIDATES = torch.tensor([[4, 6, 8], [2, 6, 19], [0, 12, 7], [13, 14, 15]])  # some of them had by their user


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"name": "multimodal-iris"},
        {"name": "multimodal-iris", "content_factors": True, "alpha": 0.3},
        {"name": "multimodal-iris", "ridge": 5.0},
        {"name": "multimodal-iris", "content_factors": True, "id_dropout": 0.3},
        {"name": "image-iris"},
        {"name": "add-iris", "beta": 0.5},
        {"name": "fism", "alpha": 0.5},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_shares_of_many_users_are_those_of_each(options, weighted):
    model = prepared(random_model(options))
    histories = Histories.of(HISTORIES)
    if weighted:
        weights = torch.linspace(0.5, 2.0, len(histories.items))
        histories = Histories(histories.items, histories.offsets, weights=weights)
    many = model.modality_shares_of(histories, CANDIDATES)
    for user, items in enumerate(HISTORIES):
        one = histories.part(user, user + 1)
        wanted = model.modality_shares(one.items, CANDIDATES[user], one.weights)
        for found, alone in ((many.relevance, wanted.relevance), (many.contribution, wanted.contribution)):
            assert set(found.modalities) == set(alone.modalities)
            for table, single in [(found.ids, alone.ids)] + [
                (found.modalities[m], alone.modalities[m]) for m in alone.modalities
            ]:
                torch.testing.assert_close(table[user, : len(items)], single, rtol=1e-4, atol=1e-5)
                assert not table[user, len(items) :].any()
