import numpy as np
import pytest
import torch

from irisrec.data.dataset import pairs_matrix
from irisrec.data.splits import Split
from irisrec.errors import DataError, ModelError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.models.contract import Scorer


class Fixed(Scorer):
    """Scores every user by one given row, whatever the history."""

    def __init__(self, row):
        super().__init__(len(row))
        self.row = torch.tensor(row, dtype=torch.float32)

    def score(self, histories, candidates=None):
        return self.row.expand(len(histories), -1).clone()


def matrix(pairs, shape=(3, 6)):
    rows, columns = np.array(pairs).T if pairs else (np.empty(0, int), np.empty(0, int))
    return pairs_matrix(rows.astype(np.int64), columns.astype(np.int64), shape)


#  user 0: train 0, validation 1, test 2;  user 1: train 5, test 4;  user 2: nothing held out
SPLIT = Split(matrix([(0, 0), (1, 5), (2, 3)]), matrix([(0, 1)]), matrix([(0, 2), (1, 4)]))
CONFIG = EvaluationConfig(cutoffs=(1, 2, 3), n_sampled=2)


def test_full_ranking_masks_train_and_validation_items():
    result = evaluate(Fixed([9, 8, 7, 6, 5, 4]), SPLIT, CONFIG)
    assert result.n_users == 2
    assert result.per_user["full"]["hr@1"][:2].tolist() == [
        1,
        0,
    ]  # 0 and 1 are masked for user 0, so 2 is first
    assert result.per_user["full"]["hr@3"][:2].tolist() == [1, 0]  # for user 1: 0, 1, 2, 3 come before 4
    assert np.isnan(result.per_user["full"]["hr@1"][2])
    assert result.metrics["full"]["hr@1"] == 0.5


def test_on_validation_test_items_stay_candidates():
    result = evaluate(Fixed([9, 7, 8, 6, 5, 4]), SPLIT, CONFIG, part="validation")
    assert result.n_users == 1
    assert result.per_user["full"]["hr@1"][0] == 0, "the test item 2 ranks before the validation item 1"
    assert result.per_user["full"]["hr@2"][0] == 1


def test_ties_count_against_the_target():
    result = evaluate(Fixed([0.0] * 6), SPLIT, EvaluationConfig(cutoffs=(3, 4, 5), n_sampled=2))
    assert result.per_user["full"]["hr@3"][0] == 0, "user 0 has 4 candidates, all tied: rank 4"
    assert result.per_user["full"]["hr@4"][0] == 1
    assert result.per_user["full"]["hr@4"][1] == 0
    assert result.per_user["full"]["hr@5"][1] == 1
    assert result.metrics["sampled-2"]["hr@3"] == 1.0, "among 2 sampled and itself every rank is at most 3"


def test_given_negatives_take_the_place_of_sampled_ones():
    split = Split(
        SPLIT.train, SPLIT.validation, SPLIT.test, negatives=matrix([(0, 3), (0, 4), (1, 0), (1, 1)])
    )
    result = evaluate(Fixed([9, 8, 7, 6, 5, 4]), split, CONFIG)
    assert set(result.metrics) == {"full", "given-negatives"}
    assert result.per_user["given-negatives"]["hr@1"][:2].tolist() == [1, 0]
    assert result.per_user["given-negatives"]["hr@3"][:2].tolist() == [1, 1]


def test_batches_do_not_change_the_result():
    rng = np.random.default_rng(0)
    parts = rng.choice(4, size=(40, 30), p=[0.7, 0.2, 0.05, 0.05])
    split = Split(*(matrix(np.argwhere(parts == part).tolist(), (40, 30)) for part in (1, 2, 3)))
    model = Fixed(rng.normal(size=30).tolist())
    one = evaluate(model, split, EvaluationConfig(n_sampled=5, batch_users=1000))
    many = evaluate(model, split, EvaluationConfig(n_sampled=5, batch_users=7))
    assert one.metrics == many.metrics
    for user in range(40):  # against a plain ranking of one user at a time
        targets = np.flatnonzero(parts[user] == 3)
        order = [i for i in np.argsort(-model.row.numpy()) if parts[user][i] in (0, 3)]
        ranks = [order.index(t) + 1 for t in targets]
        expected = float(any(r <= 10 for r in ranks)) if len(targets) else np.nan
        np.testing.assert_equal(one.per_user["full"]["hr@10"][user], expected)


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(ModelError, match="not finite"):
        evaluate(Fixed([1, float("nan"), 2, 3, 4, 5]), SPLIT, CONFIG)


def test_a_split_without_targets_is_an_error():
    empty = matrix([])
    with pytest.raises(DataError, match="no test interactions"):
        evaluate(Fixed([1.0] * 6), Split(SPLIT.train, empty, empty), CONFIG)
