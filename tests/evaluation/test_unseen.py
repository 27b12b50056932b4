import numpy as np
import pytest
import torch

from irisrec.data.config import SplitConfig
from irisrec.data.splits import split_dataset
from irisrec.errors import ModelError
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.models.contract import Scorer
from irisrec.models.popularity import Popularity
from irisrec.recommendation.storage import load_split, save_dataset
from tests.data.helpers import dataset_of

RNG = np.random.default_rng(0)
DATA = dataset_of([(f"u{u}", f"i{i}") for u in range(30) for i in RNG.choice(40, 8, replace=False)])
COLD_USERS = split_dataset(DATA, SplitConfig(strategy="cold-users"))
COLD_ITEMS = split_dataset(DATA, SplitConfig(strategy="cold-items"))
CONFIG = EvaluationConfig(n_sampled=5, cutoffs=(3,))


class Recorder(Scorer):
    """Scores items by their rows, and remembers the histories it was given."""

    def score(self, histories, candidates=None):
        self.seen = {
            int(u): set(histories.part(b, b + 1).items.tolist()) for b, u in enumerate(histories.users)
        }
        return torch.arange(self.n_items).float().expand(len(histories), -1)


def test_cold_users_are_known_by_their_part_of_the_history():
    model = Recorder(DATA.n_items)
    result = evaluate(model, COLD_USERS, CONFIG)
    assert result.n_users == 6
    for user, history in model.seen.items():
        assert len(history) == 6
        assert history == set(COLD_USERS.known_by[user].indices)


def test_models_that_learn_users_refuse_cold_ones():
    class PerUser(Recorder):
        knows_users_only = True

    with pytest.raises(ModelError, match="PerUser learns something for each user and cannot score 6 users"):
        evaluate(PerUser(DATA.n_items), COLD_USERS, CONFIG)


def test_cold_items_are_ranked_among_themselves_only():
    result = evaluate(Recorder(DATA.n_items), COLD_ITEMS, EvaluationConfig(cutoffs=(1, 8), n_sampled=5))
    cold = np.flatnonzero(COLD_ITEMS.candidates["test"])
    assert len(cold) == 8
    has_best = COLD_ITEMS.test[:, [cold[-1]]].toarray()[:, 0] > 0
    values = result.per_user["full"]["hr@1"]
    assert (values[~np.isnan(values)] == has_best[~np.isnan(values)]).all(), (
        "the last row of the cold items leads"
    )
    assert result.metrics["full"]["hr@8"] == 1
    assert result.lists["coverage@8"] == len(cold) / DATA.n_items
    assert result.metrics["sampled-5"]["hr@8"] >= result.metrics["full"]["hr@1"]


def test_cold_items_are_ranked_among_all_items_beside():
    result = evaluate(Recorder(DATA.n_items), COLD_ITEMS, EvaluationConfig(cutoffs=(8,), n_sampled=0))
    masked = (COLD_ITEMS.train + COLD_ITEMS.validation).toarray() > 0
    ranks = {  # later rows score higher
        user: [int((~masked[user, item:]).sum()) for item in items]
        for user, items in enumerate(COLD_ITEMS.test.tolil().rows)
        if items
    }
    expected = [min(places) <= 8 for places in ranks.values()]
    assert result.metrics["every-item"]["hr@8"] == pytest.approx(np.mean(expected))
    assert result.metrics["every-item"]["hr@8"] < result.metrics["full"]["hr@8"]
    warm = split_dataset(DATA, SplitConfig())
    assert "every-item" not in evaluate(Recorder(DATA.n_items), warm, CONFIG).metrics


def test_a_model_that_learns_items_by_id_says_that_it_ranks_cold_ones_by_chance():
    notes = evaluate(Popularity(DATA.n_items).fit(COLD_ITEMS.train), COLD_ITEMS, CONFIG).notes
    assert "Popularity learns items by their ids and ranks these by chance" in str(notes[-1])
    assert notes[-1].count == COLD_ITEMS.test.nnz

    class Content(Recorder):
        scores_cold_items = True

    kinds = {note.kind for note in evaluate(Content(DATA.n_items), COLD_ITEMS, CONFIG).notes}
    assert "targets_of_unseen_items" not in kinds


@pytest.mark.parametrize("split", [COLD_USERS, COLD_ITEMS])
def test_a_run_folder_gives_the_same_split_back(split, tmp_path):
    save_dataset(tmp_path, DATA, split)
    _, _, loaded = load_split(tmp_path)
    for name in ("train", "validation", "test", "known_by"):
        assert (getattr(loaded, name) != getattr(split, name)).nnz == 0
    assert loaded.candidates.keys() == split.candidates.keys()
    assert all((loaded.candidates[part] == mask).all() for part, mask in split.candidates.items())
