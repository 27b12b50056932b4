"""A model without a modality, against a model whose items never had it."""

import pytest
import torch

from irisrec.errors import ModelError
from irisrec.evaluation.knockout import knocked_out
from irisrec.models.histories import Histories
from irisrec.models.masked import without
from irisrec.models.prepared import prepared
from tests.models.test_item_similarity import HISTORIES, make
from tests.recommendation.small import recommender

ASKED = Histories.of(HISTORIES)
OPTIONS = {"name": "multimodal-iris", "content_factors": True, "alpha": 0.4}


@pytest.mark.parametrize("off", [["image"], ["text"], ["image", "text"]])
def test_it_scores_as_a_model_whose_items_never_had_them(off):
    model = make(**OPTIONS)
    rows, local = ASKED.localized()
    kept = set(model.modalities) - set(off)
    with torch.no_grad():
        wanted = model.score_block(model.pair_block(rows, None, kept), local, ASKED, None)
        torch.testing.assert_close(without(model, off).score(ASKED), wanted)
    assert not torch.allclose(wanted, model.score(ASKED))


def test_the_model_itself_stays_whole_and_shares_its_weights():
    model = make(**OPTIONS)
    before = model.score(ASKED)
    masked = without(model, ["image"])
    torch.testing.assert_close(model.score(ASKED), before, rtol=0, atol=0)
    assert model.content_masks["image"].any()
    assert not masked.content_masks["image"].any()
    assert masked.history_factors is model.history_factors


def test_a_model_with_other_content_can_be_without_it_too():
    model = recommender({"name": "vbpr"}).model
    known = Histories(torch.tensor([1, 4]), torch.tensor([0, 2]), users=torch.tensor([3]))
    with knocked_out(model, "text", "removed"), torch.no_grad():
        wanted = model.score(known)
    torch.testing.assert_close(without(model, ["text"]).score(known), wanted)
    assert not torch.allclose(wanted, model.score(known))


def test_a_modality_that_the_model_does_not_read_is_named():
    with pytest.raises(ModelError, match="the model reads audio, image, text, not 'picture'"):
        without(make(**OPTIONS), ["picture"])


@pytest.mark.parametrize("prepare", [True, False])
def test_a_recommender_without_a_modality_gives_the_masked_model_s_lists(prepare):
    whole = recommender(OPTIONS, prepare=prepare)
    masked = whole.without(["image"])
    found = masked.recommend(history=["i02", "i05", "i11"], k=20)
    scores = without(whole.model, ["image"]).score(Histories.of([[2, 5, 11]]))[0].detach()
    for item in found:
        assert item.score == pytest.approx(float(scores[int(item.item_id[1:])]), rel=1e-5)
        assert all(reason.modalities["image"] == pytest.approx(0, abs=1e-6) for reason in item.because)
    assert [item.item_id for item in found] != [
        item.item_id for item in whole.recommend(history=["i02", "i05", "i11"], k=20)
    ]


def test_a_prepared_model_can_be_made_of_a_masked_one():
    masked = without(make(**OPTIONS), ["text"])
    torch.testing.assert_close(prepared(masked).score(ASKED), masked.score(ASKED))
