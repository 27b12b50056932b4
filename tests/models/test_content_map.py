"""An item without ids is what the map makes of its content, in training, afterwards, and when it is added."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.growing import with_new_items
from irisrec.models.histories import Histories
from irisrec.models.item_similarity import ItemSimilarity
from irisrec.models.prepared import prepared
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit
from irisrec.training.losses import best_bias
from irisrec.training.negatives import draw_chances
from tests.models.literal import literal_scores

N, NEW = 11, 3
WIDTHS = {"image": 6, "text": 4}
UNTRAINED = [2, 7]
OPTIONS = {"name": "multimodal-iris", "dim": 5, "hidden": 6, "content_factors": True, "id_dropout": 0.4}
HISTORIES = [[0, 1, 2, 3], [7], [], [2, 7, 10], list(range(N))]
ALL = torch.arange(N)


def content(n: int, seed: int = 1) -> tuple[dict, dict]:
    rng = np.random.default_rng(seed)
    present = {m: torch.from_numpy(rng.random(n) < 0.8) for m in WIDTHS}
    present["text"][0] = True
    features = {m: torch.from_numpy(rng.normal(size=(n, w))) for m, w in WIDTHS.items()}
    return {m: x * present[m][:, None] for m, x in features.items()}, present


RIDGE = {"ridge": 3.0, "id_dropout": 0.0}
PLAIN_RIDGE = {**RIDGE, "content_factors": False}
KINDS = pytest.mark.parametrize(
    "kind",
    [{}, {"id_dropout": 0.0}, RIDGE, PLAIN_RIDGE],
    ids=["content map", "content factors", "ridge", "ridge without content factors"],
)


def make(n: int = N, **options) -> ItemSimilarity:
    model = build_model(ModelConfig(**OPTIONS | options), n, *content(n)).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.7)
        if model.ridge is not None:
            model.ridge.weights.copy_(torch.randn(n, n, generator=generator, dtype=torch.float64))
        if model.takes_new_items:
            model.trained[UNTRAINED] = False
            if model.ridge is not None:
                model.ridge.stand_in(model.regression, model.features)
    return model.eval()


def interactions(seed: int = 0) -> csr_matrix:
    """Nobody had the untrained items."""
    rng = np.random.default_rng(seed)
    had = rng.random((30, N)) < 0.4
    had[:, UNTRAINED] = False
    return csr_matrix(had.astype(np.float32))


@pytest.mark.parametrize("options", [{}, {"item_bias": False}, {"alpha": 0.5, "beta": 0.6}])
def test_scores_are_those_of_the_equations_with_the_map_in_place_of_missing_ids(options):
    model = make(**options)
    torch.testing.assert_close(
        model.score(Histories.of(HISTORIES)), literal_scores(model, HISTORIES, list(range(N)))
    )


@pytest.mark.parametrize("limit", [0, N * N], ids=["pairs anew", "pairs kept"])
def test_ids_of_an_untrained_item_do_not_matter_and_those_of_others_do(limit):
    model = make()
    before = prepared(model, limit).score(Histories.of(HISTORIES))
    with torch.no_grad():
        for table in (model.history_factors, model.candidate_factors, model.bias):
            table[UNTRAINED] += 5.0
    assert torch.equal(prepared(model, limit).score(Histories.of(HISTORIES)), before)
    with torch.no_grad():
        model.bias[0] += 5.0
    after = prepared(model, limit).score(Histories.of(HISTORIES))
    torch.testing.assert_close(after[:, 0], before[:, 0] + 5.0)


def test_content_of_an_untrained_item_matters_to_factors_and_bias():
    model = make()
    tables = model.item_tables(None)
    with torch.no_grad():
        model.feature_text[7] += 1.0
        model.present_text[7] = True
    changed = model.item_tables(None)
    for name in ("p", "q", "bias"):
        same = (getattr(changed, name) == getattr(tables, name)).reshape(N, -1).all(1)
        assert same.tolist() == [item != 7 for item in range(N)], name


def test_an_untrained_item_without_content_is_similar_to_nothing_and_of_average_popularity():
    model = make()
    for name in WIDTHS:
        model.get_buffer(f"feature_{name}")[7] = 0
        model.get_buffer(f"present_{name}")[7] = False
    tables = model.item_tables(None)
    assert not tables.p[7].any()
    assert not tables.q[7].any()
    assert tables.bias[7] == model.content.base
    reasons = model.reasons(torch.tensor([0, 7]), torch.tensor([7, 1]))
    assert not reasons.contribution[:, 0].any()
    assert reasons.contribution[1, 1] == 0


@KINDS
def test_reasons_shares_and_counterfactuals_stay_exact(kind):
    model = make(alpha=0.3, **kind)
    for scorer in (model, prepared(model), prepared(model, 0)):
        for history in map(torch.tensor, (h for h in HISTORIES if h)):
            reasons = scorer.reasons(history, ALL)
            score = model.score(Histories.of([history.tolist()]))[0]
            torch.testing.assert_close(reasons.contribution.sum(0) + reasons.bias, score)
            shares = scorer.modality_shares(history, ALL)
            for part in ("relevance", "contribution"):
                split = getattr(shares, part)
                total = split.ids + sum(split.modalities.values())
                torch.testing.assert_close(total, getattr(reasons, part), msg=part)
            without = model.score(Histories.without_each(history))
            torch.testing.assert_close(scorer.scores_without(history, None), without)


def test_without_its_ids_and_without_content_nothing_of_an_untrained_item_is_left_to_share():
    model = make()
    shares = model.modality_shares(torch.tensor([7]), ALL).contribution
    others = [j for j in range(N) if j != 7]
    assert not shares.ids[0, others].any()
    assert sum(shares.modalities.values())[0, others].any()


def test_training_hides_a_share_of_the_ids_on_both_sides_at_once():
    model = make()
    model.train()
    torch.manual_seed(0)
    hidden = []
    for _ in range(200):
        tables = model.item_tables(None)
        mapped = model.content(model.features)
        for mine, of_map in zip((tables.p, tables.q, tables.bias), mapped, strict=True):
            alone = torch.isclose(mine, of_map).reshape(N, -1).all(1)
            if mine is not tables.p:
                assert torch.equal(alone, hidden[-1])
            else:
                hidden.append(alone)
    shares = torch.stack(hidden).double().mean(0)
    assert (shares[UNTRAINED] == 1).all()
    trained = [item for item in range(N) if item not in UNTRAINED]
    assert shares[trained].numpy() == pytest.approx(0.4, abs=0.12)


def unseen(train):
    return np.bincount(train.indices, minlength=N) == 0


def test_training_notes_who_was_trained_and_begins_biases_from_their_mean():
    train = interactions()
    model = build_model(ModelConfig(**OPTIONS), N, *content(N)).float()
    model.begin_training(train)
    assert (~model.trained).nonzero()[:, 0].tolist() == UNTRAINED
    bias = best_bias(train, 4, draw_chances(train, "uniform", unseen(train)), "log")
    model.start_bias(bias)
    model.eval()
    started = model.item_tables(None).bias
    torch.testing.assert_close(started[model.trained], bias[model.trained])
    torch.testing.assert_close(started[UNTRAINED], bias[model.trained].mean().expand(len(UNTRAINED)))


@pytest.mark.parametrize("kind", ["uniform", "popularity"])
def test_what_nobody_could_have_had_is_no_negative(kind):
    train = interactions()
    chances = draw_chances(train, kind, unseen(train))
    assert (chances == 0).nonzero()[:, 0].tolist() == UNTRAINED
    everything = draw_chances(train, kind)
    assert (everything > 0).all()
    assert torch.equal(chances[chances > 0], everything[chances > 0])


def test_training_leaves_the_ids_of_untrained_items_alone_and_learns_the_map():
    model = build_model(ModelConfig(**OPTIONS), N, *content(N)).float()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, interactions(), TrainingConfig(epochs=2, batch_users=10, weight_decay=0.0))
    after = model.state_dict()
    assert torch.equal(after["candidate_factors"][UNTRAINED], before["candidate_factors"][UNTRAINED])
    for name in ("content.history.text", "content.candidate.image", "content.bias.text"):
        assert not torch.equal(after[name], before[name]), name


@pytest.mark.parametrize("options", [{}, RIDGE, PLAIN_RIDGE, {"item_bias": False, "feature_scaling": "l2"}])
def test_an_added_item_is_what_an_untrained_one_would_have_been(options):
    """Same weights, same vectors: it does not matter when an item without interactions came."""
    model = make(**options)
    values, present = content(NEW, seed=8)
    grown = with_new_items(model, values, present)
    assert (grown.n_items, grown.n_added, model.n_items) == (N + NEW, NEW, N)
    raw, masks = content(N)
    joined = {m: torch.cat([raw[m], values[m]]) for m in WIDTHS}
    together = {m: torch.cat([masks[m], present[m]]) for m in WIDTHS}
    config = ModelConfig(**OPTIONS | options)
    rebuilt = build_model(config, N + NEW, joined, together, scalers=model.scalers).double().eval()
    rebuilt.load_state_dict(grown.state_dict())
    histories = Histories.of([*HISTORIES, [N], [0, N + 1, N + 2], list(range(N + NEW))])
    torch.testing.assert_close(rebuilt.score(histories), grown.score(histories))
    if "ridge" not in options:
        expected = literal_scores(grown, [h.tolist() for h in split(histories)], range(N + NEW))
        torch.testing.assert_close(grown.score(histories), expected)


def split(histories: Histories) -> list[torch.Tensor]:
    return list(histories.items.split(histories.lengths.tolist()))


@KINDS
@pytest.mark.parametrize("limit", [0, 1000], ids=["pairs anew", "pairs kept"])
def test_adding_items_changes_no_score_of_the_old_ones_and_computes_only_the_new(kind, limit):
    model = make(alpha=0.5, **kind)
    ready = prepared(model, limit)
    before = ready.score(Histories.of(HISTORIES))
    model_grown = with_new_items(model, *content(NEW, seed=8))
    grown, anew = ready.grown(model_grown), prepared(model_grown, limit)
    torch.testing.assert_close(grown.score(Histories.of(HISTORIES))[:, :N], before)
    torch.testing.assert_close(model.score(Histories.of(HISTORIES)), before)  # the old model is as it was
    histories = Histories.of([*HISTORIES, [N], [0, N + 2]])
    candidates = torch.tensor([1, N - 1, N + 1])
    torch.testing.assert_close(grown.score(histories), anew.score(histories))
    torch.testing.assert_close(grown.score(histories, candidates), anew.score(histories, candidates))
    for history in (torch.tensor([N]), torch.tensor([0, 4, N + 2])):
        for name in ("relevance", "similarity", "contribution", "bias"):
            ours, theirs = grown.reasons(history, candidates), anew.reasons(history, candidates)
            torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), msg=name)
    again = grown.grown(with_new_items(model_grown, *content(1, seed=9)))
    torch.testing.assert_close(again.score(histories)[:, : N + NEW], grown.score(histories))


def test_what_was_computed_of_old_pairs_is_taken_over_unless_a_new_item_lies_too_far_off():
    model = make(**RIDGE)
    ready = prepared(model)
    ready.score(Histories.of(HISTORIES))
    histories = Histories.of([*HISTORIES, [0, N, N + 2]])
    for far in (False, True):
        model_grown = with_new_items(model, *content(NEW, seed=8))
        if far:  # its logits are thousands apart
            model_grown.feature_image[N] *= 1e4
            model_grown.present_image[N] = True
        grown = ready.grown(model_grown)
        cached = grown.pairs.__dict__
        assert ("_exponentials" in cached) != far
        anew = prepared(model_grown)
        torch.testing.assert_close(grown.score(histories), anew.score(histories))
        torch.testing.assert_close(cached["_added_by_others"], anew.pairs._added_by_others)


def test_past_the_limit_of_pairs_a_grown_model_computes_them_anew():
    model = make()
    grown = prepared(model, N * N).grown(with_new_items(model, *content(NEW, seed=8)))
    assert grown.pairs is None
    histories = Histories.of([[0, N]])
    torch.testing.assert_close(grown.score(histories), grown.model.score(histories))


def test_models_that_learn_by_ids_and_vectors_of_other_widths_are_refused():
    plain = make(id_dropout=0.0, content_factors=False)
    with pytest.raises(ModelError, match=r"ItemSimilarity learns items by their ids .* model.ridge = 100"):
        with_new_items(plain, *content(NEW))
    values, present = content(NEW)
    values["text"] = values["text"][:, :3]
    with pytest.raises(ModelError, match=r"text: the model reads vectors of 4 numbers, got shape \(3, 3\)"):
        with_new_items(make(), values, present)
