from itertools import pairwise

import pytest
import torch

from irisrec.evaluation.robustness import SHARES, filled, without
from irisrec.models.config import ModelConfig
from irisrec.models.features import replaced
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity

N = 40
HISTORIES = Histories.of([[1, 2, 3], [7, 30, 31]])


def content():
    torch.manual_seed(0)
    present = torch.rand(N) < 0.8
    values = torch.randn(N, 3) * torch.tensor([1.0, 5.0, 0.1]) + torch.tensor([0.0, 2.0, 9.0])
    other = torch.randn(N, 4)
    return (
        {"image": values * present[:, None], "text": other},
        {"image": present, "text": torch.ones(N, dtype=torch.bool)},
    )


def make(features, present, scaling="none"):
    config = ModelConfig(
        name="multimodal-iris", dim=4, hidden=6, init_std=1.0, content_factors=True, feature_scaling=scaling
    )
    torch.manual_seed(1)
    return ItemSimilarity(config, N, features, present).eval()


def test_more_missing_contains_less_missing_and_only_those_that_had_it():
    _, present = content()
    masks = [without(present["image"], share, seed=3) for share in (0.0, *SHARES)]
    assert torch.equal(masks[0], present["image"])
    had = int(present["image"].sum())
    for mask, share in zip(masks, (0.0, *SHARES), strict=True):
        assert int(mask.sum()) == had - round(share * had)
    for less, more in pairwise(masks):
        assert not (more & ~less).any()
    assert torch.equal(without(present["image"], 0.5, seed=3), masks[2])
    assert not torch.equal(without(present["image"], 0.5, seed=4), masks[2])


def test_masked_is_a_model_whose_items_never_had_it():
    features, present = content()
    model = make(features, present)
    kept = {"image": without(present["image"], 0.5), "text": without(present["text"], 0.5)}
    never = make(features, kept)
    never.load_state_dict(model.state_dict())
    with torch.no_grad(), replaced(model, filled(model, features, ("image", "text"), 0.5, "masked")):
        torch.testing.assert_close(model.score(HISTORIES), never.score(HISTORIES))


@pytest.mark.parametrize("scaling", ["none", "standard", "l2"])
@pytest.mark.parametrize("how", ["zeros", "mean"])
def test_filling_is_what_the_encoder_would_have_given_zeros_or_the_mean_for(how, scaling):
    """Built from raw vectors that were filled before scaling, with the scale of the whole ones."""
    features, present = content()
    model = make(features, present, scaling)
    raw, kept = features["image"].clone(), without(present["image"], 0.5)
    filler = torch.zeros(3) if how == "zeros" else raw[present["image"]].mean(0)
    raw[present["image"] & ~kept] = filler
    expected = model.scalers["image"](raw) * present["image"][:, None]
    values, mask = filled(model, features, ("image",), 0.5, how)["image"]
    torch.testing.assert_close(values, expected)
    assert torch.equal(mask, present["image"]), "a filled item counts as one that has the modality"


def test_what_fills_differs_from_what_is_masked():
    features, present = content()
    model = make(features, present, "standard")
    scores = []
    for how in ("masked", "zeros", "mean"):
        with torch.no_grad(), replaced(model, filled(model, features, ("image",), 0.5, how)):
            scores.append(model.score(HISTORIES))
    assert not any(torch.allclose(scores[a], scores[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
