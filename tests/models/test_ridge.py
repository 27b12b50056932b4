import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from irisrec.models.config import ModelConfig
from irisrec.models.factory import build_model
from irisrec.models.histories import Histories, history_sum
from irisrec.models.linear import EASE
from irisrec.models.ridge import RidgeTerm
from irisrec.training.config import TrainingConfig
from irisrec.training.loop import fit

N_USERS, N_ITEMS = 40, 12
RNG = np.random.default_rng(0)
TRAIN = csr_matrix((RNG.random((N_USERS, N_ITEMS)) < 0.3).astype(np.float32))
CONTENT = {"image": torch.from_numpy(RNG.normal(size=(N_ITEMS, 4)).astype(np.float32))}
PRESENT = {"image": torch.ones(N_ITEMS, dtype=torch.bool)}


def fitted(train: csr_matrix, **content: float) -> RidgeTerm:
    ridge = RidgeTerm(N_ITEMS, regularization=5.0, content=content, scale=1.0)
    ridge.fit(train, CONTENT)
    return ridge


def test_without_content_the_weights_are_those_of_ease():
    ease = EASE(N_ITEMS, 5.0).fit(TRAIN)
    torch.testing.assert_close(fitted(TRAIN).weights, ease.weights)
    assert not torch.allclose(fitted(TRAIN, image=10.0).weights, ease.weights, atol=0.01)


@pytest.mark.parametrize("content", [{}, {"image": 7.0}])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_training_scores_are_those_of_a_regression_without_the_user(content, share):
    had = Histories.from_matrix(TRAIN)
    kept = torch.rand(len(had.items), generator=torch.Generator().manual_seed(0)) < share
    known = had.only(kept)
    ours = fitted(TRAIN, **content).training_scores(known, had)
    for user in range(N_USERS):
        others = TRAIN.tolil()
        others[user] = 0
        refitted = fitted(others.tocsr(), **content)
        expected = history_sum(known.part(user, user + 1), refitted.weights)[0]
        torch.testing.assert_close(ours[user], expected, atol=1e-5, rtol=1e-4)


def test_a_user_s_own_history_no_longer_speaks_for_itself():
    had = Histories.from_matrix(TRAIN)
    ridge = fitted(TRAIN)
    inside = had.membership(None, N_ITEMS)
    seen, unseen = history_sum(had, ridge.weights)[inside], ridge.training_scores(had, had)[inside]
    assert seen.mean() > unseen.mean() + 0.05


def test_training_moves_the_scale_and_reasons_still_sum_to_the_score():
    config = ModelConfig(
        name="image-iris", dim=4, hidden=4, alpha=0.5, ridge=5.0, ridge_content={"image": 3.0}
    )
    model = build_model(config, N_ITEMS, CONTENT, PRESENT)
    before = model.ridge.log_scale.item()
    fit(model, TRAIN, TrainingConfig(epochs=3, batch_users=20))
    assert model.ridge.log_scale.item() != before
    history, candidates = torch.tensor([0, 3, 7]), torch.arange(N_ITEMS)
    reasons = model.reasons(history, candidates)
    scores = model.score(Histories.of([history.numpy()]))[0]
    torch.testing.assert_close(reasons.contribution.sum(0) + reasons.bias, scores, atol=1e-5, rtol=1e-5)
    assert not reasons.contribution[torch.tensor([0, 1, 2]), history].any(), "no item is a reason for itself"
