"""Planted reasons, judged with scorers whose reasons are known."""

import numpy as np
import pytest
import torch

from irisrec.data.dataset import Dataset
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.shop import shop_from
from irisrec.data.splits import leave_one_out
from irisrec.experiments.causes import planted_reasons
from irisrec.models.contract import ModalityShares, Reasons, Scorer, Shares

OPTIONS = ShopOptions(n_users=600, n_items=120, mean_interactions=11)


class Expert(Scorer):
    """Its reasons are the traits that two items share, rare ones first; ties are broken by lot."""

    has_reasons = True
    content_masks = {"image": None, "text": None}  # noqa: RUF012

    def __init__(self, carries, modalities):
        super().__init__(len(carries))
        self.carries, self.modalities = carries, modalities
        self.rarity = 1 / carries.sum(0)
        self.rng = np.random.default_rng(0)

    def score(self, histories, candidates=None):
        raise NotImplementedError

    def _sums(self, history, candidates, columns):
        shared = self.carries[history] & self.carries[candidates]
        sums = (shared * self.rarity)[:, columns].sum(1)
        return torch.from_numpy(sums + self.rng.uniform(0, 1e-6, len(sums)))[:, None]

    def reasons(self, history, candidates, weights=None):
        table = self._sums(history, candidates, slice(None))
        return Reasons(table, table, table, torch.zeros(1))

    def modality_shares(self, history, candidates, weights=None):
        parts = {m: self._sums(history, candidates, self.modalities == m) for m in ("image", "text")}
        return ModalityShares(Shares(parts["text"], parts), Shares(parts["text"], parts))


@pytest.fixture(scope="module")
def found():
    shop = shop_from(OPTIONS)
    dataset = Dataset.build(shop.interactions, shop.catalog)
    assert dataset.items.series.to_list() == shop.catalog.frame["item_id"].to_list()
    split = leave_one_out(dataset, "random", "random", 0)
    model = Expert(shop.item_interests, shop.interests["modality"].to_numpy())
    return planted_reasons(model, dataset, split, np.ones(dataset.n_users, bool), OPTIONS)


@pytest.mark.parametrize("question", ["top", "modality", "told_modality"])
def test_one_who_knows_all_traits_is_right_as_often_as_it_says(found, question):
    rate = getattr(found, question)
    assert rate.n > 50
    standard_error = np.sqrt(rate.expert * (1 - rate.expert) / rate.n)
    assert abs(rate.rate - rate.expert) <= 3 * standard_error
    assert rate.expert > rate.chance


def test_where_the_pair_can_tell_the_modality_all_traits_do(found):
    assert found.told_modality.rate == found.told_modality.expert == 1
    assert found.modality.expert < 1, "some pairs share interests of both modalities"
    assert 0.5 < found.top.expert < 1, "one pair does not show which of its shared traits is wanted"
    assert f"by all traits of the pair in {found.top.expert:.0%}" in str(found)
