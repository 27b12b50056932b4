"""Metrics beside trec_eval's own (through pytrec_eval), on random rankings with many ties and several targets."""

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from irisrec.data.dataset import pairs_matrix
from irisrec.data.split import Split
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.models.contract import Scorer

N_USERS, N_ITEMS, CUTOFFS = 60, 40, (1, 3, 10, 40)
TREC = {
    "hr": "success",
    "ndcg": "ndcg_cut",
    "recall": "recall",
    "precision": "P",
    "map": "map_cut",
}


class Given(Scorer):
    """Scores that are looked up by the user's row."""

    def __init__(self, scores):
        super().__init__(scores.shape[1])
        self.scores = torch.from_numpy(scores).float()

    def score(self, histories, candidates=None):
        return self.scores[histories.users]


def world(seed):
    rng = np.random.default_rng(seed)
    parts = rng.choice(4, size=(N_USERS, N_ITEMS), p=[0.6, 0.2, 0.1, 0.1])
    scores = rng.integers(0, 8, size=(N_USERS, N_ITEMS)) / 4  # 8 levels for 40 items: ties everywhere
    split = Split(
        *(pairs_matrix(*np.nonzero(parts == part), shape=(N_USERS, N_ITEMS)) for part in (1, 2, 3)),
        negatives=pairs_matrix(*np.nonzero((parts == 0) & (rng.random(parts.shape) < 0.5)), parts.shape),
    )
    return parts, scores, split


def judge(parts, scores, candidates):
    """Let trec_eval judge; of equal scores it puts the greater name first, so targets get the least names."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    judged, ranking = {}, {}
    for user in range(N_USERS):
        name = {i: ("a" if parts[user, i] == 3 else "b") + f"{N_ITEMS - i:03}" for i in range(N_ITEMS)}
        if not (parts[user] == 3).any():
            continue
        judged[str(user)] = {name[i]: 1 for i in np.flatnonzero(parts[user] == 3)}
        ranking[str(user)] = {name[i]: float(scores[user, i]) for i in np.flatnonzero(candidates[user])}
    cutoffs = ",".join(map(str, CUTOFFS))
    measures = {f"{measure}.{cutoffs}" for measure in TREC.values()} | {"recip_rank"}
    return pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(ranking)


@pytest.mark.parametrize("protocol", ["full", "given-negatives"])
def test_every_metric_is_that_of_trec_eval_ties_included(protocol):
    parts, scores, split = world(seed=3)
    given = split.negatives.toarray() > 0
    candidates = (parts == 3) | ((parts == 0) if protocol == "full" else given)
    config = EvaluationConfig(metrics=("hr", "ndcg", "mrr", "recall", "precision", "map"), cutoffs=CUTOFFS)
    ours = evaluate(Given(scores), split, config).per_user[protocol]
    theirs = judge(parts, scores, candidates)
    for user in range(N_USERS):
        if str(user) not in theirs:
            assert all(np.isnan(values[user]) for values in ours.values())
            continue
        for name, measure in TREC.items():
            for k in CUTOFFS:
                expected = theirs[str(user)][f"{measure}_{k}"]
                assert ours[f"{name}@{k}"][user] == pytest.approx(expected, abs=1e-6), (name, k, user)
        assert ours["mrr@40"][user] == pytest.approx(theirs[str(user)]["recip_rank"], abs=1e-6)


def test_auc_is_the_statistic_of_mann_and_whitney():
    parts, _, split = world(seed=4)
    scores = np.random.default_rng(0).normal(size=parts.shape)
    ours = evaluate(Given(scores), split, EvaluationConfig(metrics=("auc",))).per_user["full"]["auc"]
    for user in range(N_USERS):
        ahead, behind = scores[user][parts[user] == 3], scores[user][parts[user] == 0]
        if len(ahead):
            expected = mannwhitneyu(ahead, behind).statistic / (len(ahead) * len(behind))
            assert ours[user] == pytest.approx(expected)


def test_auc_counts_ties_against_the_target():
    _, scores, split = world(seed=5)
    result = evaluate(Given(np.zeros_like(scores)), split, EvaluationConfig(metrics=("auc",)))
    assert result.metrics["full"]["auc"] == 0.0
