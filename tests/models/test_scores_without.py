"""Scores without each history item in turn, against a history without it scored from scratch."""

import pytest
import torch

from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories
from irisrec.models.prepared import prepared
from tests.models.test_item_similarity import HISTORIES, MODELS, N, make

WEIGHTS = torch.tensor([1.0, 3, 0.5, 1, 2]).double()


def from_scratch(model, history: list[int], candidates=None, weights=None) -> torch.Tensor:
    rows = []
    for place in range(len(history)):
        left = [at for at in range(len(history)) if at != place]
        alone = Histories.of([[history[at] for at in left]])
        if weights is not None:
            alone = Histories(alone.items, alone.offsets, weights=weights[left])
        with torch.no_grad():
            rows.append(model.score(alone, candidates)[0])
    return torch.stack(rows) if rows else torch.empty(0, N if candidates is None else len(candidates))


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("beta", [1.0, 0.8])
def test_every_item_left_out_at_once_scores_as_from_scratch(options, beta):
    model = make(**options, beta=beta, alpha=0.4)
    for history in HISTORIES:
        found = model.scores_without(torch.tensor(history, dtype=torch.int64))
        assert found.shape == (len(history), N)
        torch.testing.assert_close(found, from_scratch(model, history).to(found.dtype), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_with_weights_all_copies_of_an_item_go(options):
    model = make(**options, alpha=0.4)
    some = torch.tensor([1, 5, 12])
    found = model.scores_without(torch.tensor(HISTORIES[0]), some, WEIGHTS)
    torch.testing.assert_close(found, from_scratch(model, HISTORIES[0], some, WEIGHTS), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dominance", [30.0, 85.0, 900.0])
def test_what_is_left_beside_an_item_of_all_relevance_keeps_its_digits(dominance):
    """Subtracting the item's own term from the sum of all would leave rounding, or nothing at all."""
    model = make(name="nais", beta=0.8, dim=1).float()
    with torch.no_grad():
        model.attention.output.fill_(1.0)
        model.attention.history["latent"].weight.fill_(1.0)
        model.attention.candidate["latent"].weight.fill_(0.0)
        model.attention.bias.fill_(0.0)
        model.history_factors.copy_(torch.linspace(0.1, 1, N)[:, None])
        model.history_factors[4] = dominance
        model.candidate_factors.fill_(1.0)
    history = [2, 3, 4, 8]
    found = model.scores_without(torch.tensor(history), torch.tensor([5]))
    expected = from_scratch(model, history, torch.tensor([5]))
    torch.testing.assert_close(found[2], expected[2], rtol=1e-6, atol=0)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("name", ["ease", "ials", "popularity"])
def test_any_model_of_histories_can_be_asked(name):
    model = build_model(ModelConfig(name=name), N)
    generator = torch.Generator().manual_seed(0)
    for buffer in model.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    for history in HISTORIES:
        found = model.scores_without(torch.tensor(history, dtype=torch.int64))
        torch.testing.assert_close(found, from_scratch(model, history), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("limit", [0, N * N])
def test_a_prepared_model_answers_the_same(limit):
    model = make(name="multimodal-iris", content_factors=True, alpha=0.4)
    history = torch.tensor(HISTORIES[0])
    found = prepared(model, limit).scores_without(history, None, WEIGHTS)
    torch.testing.assert_close(found, model.scores_without(history, None, WEIGHTS))
