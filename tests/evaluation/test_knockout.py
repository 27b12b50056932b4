import pytest
import torch

from irisrec.errors import ModelError
from irisrec.evaluation.knockout import altered, knocked_out
from irisrec.models.config import ModelConfig
from irisrec.models.features import held_modalities
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.popularity import Popularity


def example():
    torch.manual_seed(0)
    values = torch.randn(500, 3) * torch.tensor([1.0, 5.0, 0.1]) + torch.tensor([0.0, 2.0, 9.0])
    present = torch.rand(500) < 0.8
    return values * present[:, None], present


def test_removed_leaves_no_item_with_the_modality():
    values, present = altered(*example(), "removed")
    assert not values.any()
    assert not present.any()


def test_shuffling_gives_items_one_anothers_vectors():
    values, present = example()
    shuffled, mask = altered(values, present, "shuffled", seed=1)
    assert mask is present
    assert not shuffled[~present].any(), "an item without the modality gets no vector"
    assert torch.equal(shuffled[present].sort(0).values, values[present].sort(0).values)
    assert (shuffled[present] != values[present]).any(1).float().mean() > 0.9
    assert not torch.equal(shuffled, altered(values, present, "shuffled", seed=2)[0])


def test_noise_has_the_mean_and_spread_of_the_vectors():
    values, present = example()
    noise, _ = altered(values, present, "noise")
    torch.testing.assert_close(noise[present].mean(0), values[present].mean(0), atol=0.6, rtol=0.1)
    torch.testing.assert_close(noise[present].std(0), values[present].std(0), atol=0.0, rtol=0.15)
    assert not noise[~present].any()


def test_a_model_is_itself_again_afterwards():
    values, present = example()
    torch.manual_seed(0)
    model = ItemSimilarity(
        ModelConfig(name="image-iris", dim=4, hidden=6, init_std=1.0),
        500,
        {"image": values},
        {"image": present},
    ).eval()
    histories = Histories.of([[1, 2, 3], [7, 30]])
    with torch.no_grad():
        before = model.score(histories)
        for way in ("removed", "shuffled", "noise"):
            with knocked_out(model, "image", way):
                assert not torch.equal(model.score(histories), before)
            assert torch.equal(model.score(histories), before)
    with (
        pytest.raises(ModelError, match="the model reads image, not 'text'"),
        knocked_out(model, "text", "noise"),
    ):
        pass


def test_a_model_without_content_has_no_modalities():
    assert held_modalities(Popularity(3)) == ()
