"""The split of relevance and contributions among modalities is exact, and made by the one scorer under masks."""

from itertools import permutations

import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.evaluation.knockout import knocked_out
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.prepared import prepared
from tests.models.literal import literal_factor, literal_logit, literal_scores
from tests.models.test_item_similarity import MODELS, WIDTHS, N, content, make

HISTORY = torch.tensor([0, 2, 3, 7, 9, 11])
CANDIDATES = torch.tensor([1, 2, 5, 12])  # one of them in the history
READING = {name: options for name, options in MODELS.items() if "iris" in options["name"]}


def parts(shares) -> torch.Tensor:
    return shares.ids + sum(shares.modalities.values())


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 3, 0.5, 1, 2, 1]).double()])
def test_ids_and_modalities_sum_to_relevance_and_contribution(options, weights):
    model = make(**options, alpha=0.4)
    reasons = model.reasons(HISTORY, CANDIDATES, weights)
    shares = model.modality_shares(HISTORY, CANDIDATES, weights)
    torch.testing.assert_close(parts(shares.relevance), reasons.relevance, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(parts(shares.contribution), reasons.contribution, rtol=1e-10, atol=1e-10)
    assert set(shares.contribution.modalities) == set(model.modalities)


@pytest.mark.parametrize("options", READING.values(), ids=READING)
def test_the_sums_hold_in_single_precision(options):
    model = make(**options).float()
    reasons, shares = model.reasons(HISTORY, CANDIDATES), model.modality_shares(HISTORY, CANDIDATES)
    for whole, split in ((reasons.relevance, shares.relevance), (reasons.contribution, shares.contribution)):
        size = float(torch.stack([split.ids, *split.modalities.values()]).abs().max())
        assert float((parts(split) - whole).abs().max()) < 1e-5 * size


def literal_value(model, kept: tuple[str, ...]) -> torch.Tensor:
    """(L, C): the contributions with some modalities and the total relevance held, pair by pair, from the equations."""
    gone = [name for name in model.modalities if name not in kept]
    whole = model.reasons(HISTORY, CANDIDATES).relevance.sum(0)
    masks = {name: model.present[name].clone() for name in gone}
    for name in gone:
        model.present[name].zero_()
    found = torch.zeros(len(HISTORY), len(CANDIDATES), dtype=torch.float64)
    relevance = torch.zeros_like(found)
    for column, j in enumerate(CANDIDATES.tolist()):
        others = [i for i in HISTORY.tolist() if i != j]
        block = {i: literal_pair(model, i, j) for i in others}
        total = sum(e for e, _ in block.values())
        for row, i in enumerate(HISTORY.tolist()):
            if i != j:
                relevance[row, column] = whole[column] * block[i][0] / total
                length = len(others) ** -model.config.alpha
                found[row, column] = relevance[row, column] * block[i][1] * length
    for name in gone:
        model.present[name].copy_(masks[name])
    return found


def literal_pair(model, i: int, j: int) -> tuple[float, float]:
    with torch.no_grad():
        similarity = literal_factor(model, i, "history") @ literal_factor(model, j, "candidate")
        return float(torch.exp(literal_logit(model, i, j))), float(similarity)


@pytest.mark.parametrize("options", READING.values(), ids=READING)
def test_shares_are_the_mean_gains_over_all_orders_of_the_equations_themselves(options):
    model = make(**options, alpha=0.4)
    shares = model.modality_shares(HISTORY, CANDIDATES).contribution
    torch.testing.assert_close(shares.ids, literal_value(model, ()), rtol=1e-9, atol=1e-9)
    orders = list(permutations(model.modalities))
    for name in model.modalities:
        gains = [
            literal_value(model, order[: order.index(name) + 1])
            - literal_value(model, order[: order.index(name)])
            for order in orders
        ]
        expected = torch.stack(gains).mean(0)
        torch.testing.assert_close(shares.modalities[name], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("options", READING.values(), ids=READING)
def test_a_modality_that_none_of_the_items_has_gets_exactly_zero(options):
    model = make(**options)
    gone = model.modalities[-1]
    for buffer in (model.present[gone], model.features[gone]):
        buffer[torch.cat([HISTORY, CANDIDATES])] = 0
    shares = model.modality_shares(HISTORY, CANDIDATES)
    for split in (shares.relevance, shares.contribution):
        assert not split.modalities[gone].any()


def test_modalities_with_the_same_weights_and_vectors_share_alike():
    features, present = content()
    twins = {"image": features["image"], "text": features["image"]}
    masks = {"image": present["image"], "text": present["image"]}
    config = ModelConfig(name="multimodal-iris", dim=4, hidden=6, content_factors=True)
    model = build_model(config, N, twins, masks).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, 0.7, generator=torch.Generator().manual_seed(len(name.split(".")[0])))
        weights = dict(model.named_parameters())
        for name, parameter in weights.items():
            if "text" in name:
                parameter.copy_(weights[name.replace("text", "image")])
    shares = model.modality_shares(HISTORY, CANDIDATES).contribution.modalities
    torch.testing.assert_close(shares["image"], shares["text"], rtol=1e-10, atol=1e-10)
    assert shares["image"].abs().max() > 0.1


@pytest.mark.parametrize("gone", ["image", "text"])
def test_with_beta_one_a_mask_is_a_knocked_out_modality(gone):
    """The coalition without one modality is the model judged without it; no second way to be without."""
    model = make(name="multimodal-iris", modalities=("image", "text"), content_factors=True, beta=1.0)
    kept = [name for name in model.modalities if name != gone]
    masked = model.pair_block(HISTORY, CANDIDATES, kept).contributions()
    with knocked_out(model, gone, "removed"):
        torch.testing.assert_close(model.reasons(HISTORY, CANDIDATES).contribution, masked)


def test_the_shares_of_all_history_items_are_the_shares_of_the_score():
    """Masks are of all items at once, so what is true of every contribution is true of their sum."""
    model = make(name="multimodal-iris", content_factors=True, beta=1.0)
    shares = model.modality_shares(HISTORY, CANDIDATES).contribution
    alone = literal_scores_with(model, ())
    torch.testing.assert_close(shares.ids.sum(0) + model.bias[CANDIDATES].detach(), alone)
    orders = list(permutations(model.modalities))
    for name in model.modalities:
        gains = [
            literal_scores_with(model, order[: order.index(name) + 1])
            - literal_scores_with(model, order[: order.index(name)])
            for order in orders
        ]
        torch.testing.assert_close(shares.modalities[name].sum(0), torch.stack(gains).mean(0))


def literal_scores_with(model, kept: tuple[str, ...]) -> torch.Tensor:
    saved = {name: mask.clone() for name, mask in model.present.items()}
    for name in WIDTHS:
        if name not in kept:
            model.present[name].zero_()
    scores = literal_scores(model, [HISTORY.tolist()], CANDIDATES.tolist())[0].detach()
    for name, mask in saved.items():
        model.present[name].copy_(mask)
    return scores


def test_logits_that_a_mask_moves_by_a_thousand_split_as_well():
    model = make(name="multimodal-iris", content_factors=True, beta=0.8)
    with torch.no_grad():
        model.attention.output.mul_(1000 / model.pair_block(torch.arange(N), None).logits.abs().max())
    reasons, shares = model.reasons(HISTORY, CANDIDATES), model.modality_shares(HISTORY, CANDIDATES)
    assert torch.isfinite(parts(shares.contribution)).all()
    torch.testing.assert_close(parts(shares.contribution), reasons.contribution, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("limit", [0, N * N])
def test_a_prepared_model_shares_the_same(limit):
    model = make(name="multimodal-iris", content_factors=True, alpha=0.4)
    ready = prepared(model, limit)
    ours, theirs = (m.modality_shares(HISTORY, CANDIDATES).contribution for m in (ready, model))
    torch.testing.assert_close(ours.ids, theirs.ids)
    for name in model.modalities:
        torch.testing.assert_close(ours.modalities[name], theirs.modalities[name])
        assert ready.content_masks[name] is model.present[name]


def test_content_knn_owes_everything_to_its_modality():
    features, present = content()
    config = ModelConfig(name="content-knn", modalities=("text",), n_neighbors=4)
    model = build_model(config, N, features, present).fit(csr_matrix((1, N)))
    shares = model.modality_shares(HISTORY, CANDIDATES).contribution
    assert not shares.ids.any()
    assert torch.equal(shares.modalities["text"], model.reasons(HISTORY, CANDIDATES).contribution)
