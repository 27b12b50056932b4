"""An item without ids is what the map makes of its content, in training, afterwards, and when it is added."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.errors import ModelError
from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.growing import with_new_items
from irisrec.models.histories import Histories, history_sum
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


def make(n: int = N, **options) -> ItemSimilarity:
    model = build_model(ModelConfig(**OPTIONS | options), n, *content(n)).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.7)
        if model.ridge is not None:
            model.ridge.weights.copy_(torch.randn(n, n, generator=generator, dtype=torch.float64))
        if model.maps_content:
            model.trained[UNTRAINED] = False
            if model.ridge is not None:
                model.ridge.weights[UNTRAINED] = 0
                new = {m: x[UNTRAINED] for m, x in model.features.items()}
                model.ridge.weights[:, UNTRAINED] = model.ridge.combined(model.regression, new)
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


@pytest.mark.parametrize("ridge", [None, 3.0])
def test_reasons_shares_and_counterfactuals_stay_exact(ridge):
    model = make(alpha=0.3, ridge=ridge)
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
            assert torch.equal(alone, ~tables.known)
        hidden.append(~tables.known)
    shares = torch.stack(hidden).double().mean(0)
    assert (shares[UNTRAINED] == 1).all()
    trained = [item for item in range(N) if item not in UNTRAINED]
    assert shares[trained].numpy() == pytest.approx(0.4, abs=0.12)


def test_training_notes_who_was_trained_and_begins_biases_from_their_mean():
    train = interactions()
    model = build_model(ModelConfig(**OPTIONS), N, *content(N)).float()
    model.begin_training(train)
    assert (~model.trained).nonzero()[:, 0].tolist() == UNTRAINED
    bias = best_bias(train, 4, draw_chances(train, "uniform", unseen=False), "log")
    model.start_bias(bias)
    model.eval()
    started = model.item_tables(None).bias
    torch.testing.assert_close(started[model.trained], bias[model.trained])
    torch.testing.assert_close(started[UNTRAINED], bias[model.trained].mean().expand(len(UNTRAINED)))


@pytest.mark.parametrize("kind", ["uniform", "popularity"])
def test_what_nobody_could_have_had_is_no_negative(kind):
    train = interactions()
    chances = draw_chances(train, kind, unseen=False)
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


RIDGE = {"ridge": 2.0, "ridge_content": {"text": 1.0}, "ridge_map": 0.5}
TRAINED = [item for item in range(N) if item not in UNTRAINED]


def begun(train: csr_matrix, **options) -> ItemSimilarity:
    model = build_model(ModelConfig(**OPTIONS | RIDGE | options), N, *content(N))
    model.begin_training(train)
    return model.float()


def guessed(model: ItemSimilarity, train: csr_matrix, item: int) -> torch.Tensor:
    """Weights of an item as if nobody had it: of a ridge regression of the others' on content, by least squares."""
    others = [i for i in TRAINED if i != item]
    units = [torch.nn.functional.normalize(x, dim=1) for x in model.features.values()]
    x = torch.cat([*units, torch.ones(N, 1)], dim=1).double()
    penalty = 0.5**0.5 * torch.eye(x.shape[1], dtype=torch.float64)
    targets = torch.cat([model.ridge.weights[:, others].T.double(), x.new_zeros(x.shape[1], N)])
    solution = torch.linalg.lstsq(torch.cat([x[others], penalty]), targets).solution
    return (x[item] @ solution).float()


def test_ridge_weights_of_an_untrained_candidate_come_from_content_and_as_history_it_has_none():
    train = interactions()
    model = begun(train)
    for item in UNTRAINED:
        torch.testing.assert_close(model.ridge.weights[:, item], guessed(model, train, item))
        assert not model.ridge.weights[item].any()


def test_each_trained_item_has_weights_for_when_it_is_hidden_found_without_itself():
    train = interactions()
    model = begun(train)
    for item in TRAINED:
        expected = guessed(model, train, item)
        expected[item] = 0
        torch.testing.assert_close(model.ridge.as_new[:, item], expected, rtol=1e-4, atol=1e-6)


def test_ridge_weights_of_trained_items_are_those_of_a_regression_among_them():
    train = interactions()
    features, present = content(N)
    model = begun(train, feature_scaling="none")
    part = build_model(
        ModelConfig(**OPTIONS | RIDGE, feature_scaling="none"),
        len(TRAINED),
        {m: x[TRAINED] for m, x in features.items()},
        {m: x[TRAINED] for m, x in present.items()},
    )
    part.begin_training(train[:, TRAINED])
    torch.testing.assert_close(model.ridge.weights[TRAINED][:, TRAINED], part.ridge.weights)


def test_in_training_hidden_items_add_their_weights_as_new_and_speak_for_nobody():
    train = interactions()
    model = begun(train).train()
    had = Histories.from_matrix(train)
    torch.manual_seed(1)
    (scored,) = model.training_scores(had, had)
    torch.manual_seed(1)
    tables = model.item_tables(None)
    block = replace(model.block_of(tables, tables, ALL, None), added=None)
    kept = had.only(tables.known[had.items])
    as_trained = model.ridge.training_scores(kept, had)
    as_new = model.ridge.log_scale.exp() * history_sum(kept, model.ridge.as_new)
    torch.testing.assert_close(
        scored.scores, block.scores(had) + torch.where(tables.known, as_trained, as_new)
    )
    assert 0 < int(tables.known.sum()) < len(TRAINED)


def test_what_the_ridge_adds_for_an_untrained_candidate_is_shared_by_its_content():
    model = begun(interactions()).double().eval()
    history = torch.tensor([0, 1, 4])
    added = model.pair_block(history, ALL).added
    parts = model.added_parts(history, ALL)
    assert not any(part[:, TRAINED].any() for part in parts.values())
    masked = begun(interactions()).double().eval()
    for name in WIDTHS:  # taking a modality away from the candidate takes its part away
        part = model.ridge.log_scale.exp() * masked.ridge.combined(
            masked.regression,
            {m: x[UNTRAINED] * (m != name) for m, x in masked.features.items()},
        )
        left = added[:, UNTRAINED] - part[history]
        torch.testing.assert_close(left, parts[name][:, UNTRAINED], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"ridge": 3.0}, {"item_bias": False, "feature_scaling": "l2"}])
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


@pytest.mark.parametrize("ridge", [None, 3.0])
@pytest.mark.parametrize("limit", [0, 1000], ids=["pairs anew", "pairs kept"])
def test_adding_items_changes_no_score_of_the_old_ones_and_computes_only_the_new(ridge, limit):
    model = make(alpha=0.5, ridge=ridge)
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
    model = make(ridge=3.0)
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
    for options in ({"id_dropout": 0.0}, {"id_dropout": 0.0, "content_factors": False}):
        with pytest.raises(
            ModelError, match=r"ItemSimilarity learns items by their ids .* model.id_dropout = 0.3"
        ):
            with_new_items(make(**options), *content(NEW))
    values, present = content(NEW)
    values["text"] = values["text"][:, :3]
    with pytest.raises(ModelError, match=r"text: the model reads vectors of 4 numbers, got shape \(3, 3\)"):
        with_new_items(make(), values, present)
