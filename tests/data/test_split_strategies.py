import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irisrec.data.config import SplitConfig
from irisrec.data.splits import new_items, split_dataset
from irisrec.errors import ConfigError, DataError
from irisrec.notes import counted
from tests.data.helpers import dataset_of, pairs_of

RNG = np.random.default_rng(0)
PAIRS = [(f"u{u:02}", f"i{i:02}") for u in range(40) for i in RNG.choice(50, 1 + u % 12, replace=False)]
TIMES = RNG.permutation(len(PAIRS)).tolist()
DATA = dataset_of(PAIRS, TIMES)


def split(**options):
    return split_dataset(DATA, SplitConfig.read(options, "split"))


@pytest.mark.parametrize("strategy", ["ratio", "k-fold", "time", "cold-users", "cold-items"])
def test_every_interaction_is_in_one_part_and_the_same_seed_gives_the_same(strategy):
    one, again, other = split(strategy=strategy), split(strategy=strategy), split(strategy=strategy, seed=7)
    total = one.train + one.validation + one.test
    if one.histories is not None:
        total = one.histories + one.validation + one.test
    assert (total != DATA.matrix).nnz == 0
    assert (one.test != again.test).nnz == 0
    assert one.validation.nnz
    assert strategy == "time" or (one.test != other.test).nnz > 0


@pytest.mark.parametrize(
    "strategy", ["random", "last", "ratio", "k-fold", "time", "cold-users", "cold-items"]
)
def test_items_are_new_where_nobody_could_have_had_them_and_not_where_few_wanted_them(strategy):
    config = SplitConfig.read({"strategy": strategy}, "split")
    parts = split_dataset(DATA, config)
    new = new_items(parts, config)
    in_training = np.diff(parts.train.tocsc().indptr) > 0
    assert not new[in_training].any()
    if strategy in ("time", "cold-items"):
        assert new[~in_training].all()
    else:
        assert not new.any()  # somebody had each of them
    if strategy == "cold-items":
        assert new.any()


@given(st.permutations(PAIRS))
@settings(max_examples=5, deadline=None)
def test_what_is_held_out_does_not_depend_on_the_order_of_rows(pairs):
    for strategy in ("ratio", "cold-users", "cold-items"):
        config = SplitConfig(strategy=strategy)
        shuffled = dataset_of(pairs)
        held_out = set(pairs_of(shuffled, split_dataset(shuffled, config).test))
        assert held_out == set(pairs_of(DATA, split_dataset(DATA, config).test))


def test_ratio_takes_a_share_of_each_user_and_leaves_one():
    parts = split(strategy="ratio", test_share=0.3, validation_share=0.2)
    sizes = np.diff(DATA.matrix.indptr)
    assert np.diff(parts.test.indptr).tolist() == np.minimum(np.rint(sizes * 0.3), sizes - 1).tolist()
    assert (np.diff(parts.train.indptr) >= 1).all()
    assert counted(parts.notes)["users_in_train_only"] == (np.diff(parts.test.indptr) == 0).sum()
    assert not split(strategy="ratio", validation=False).validation.nnz


def test_ratio_by_time_holds_out_the_last():
    parts = split(strategy="ratio", order="last", validation=False)
    time_of = dict(zip(PAIRS, TIMES, strict=True))
    train, test = pairs_of(DATA, parts.train), pairs_of(DATA, parts.test)
    for user in {user for user, _ in test}:
        latest = max(time_of[pair] for pair in train if pair[0] == user)
        assert all(time_of[pair] > latest for pair in test if pair[0] == user)


def test_folds_part_the_interactions_and_are_equal_for_each_user():
    folds = [split(strategy="k-fold", folds=4, fold=i, validation=False).test for i in range(4)]
    total = sum(folds[1:], folds[0])
    sizes = np.diff(DATA.matrix.indptr)
    several = sizes >= 2
    assert total.nnz == sizes[several].sum()
    assert total.max() == 1
    counts = np.stack([np.diff(fold.indptr) for fold in folds])[:, several]
    assert (counts.max(0) - counts.min(0) <= 1).all()
    assert (np.diff(split(strategy="k-fold", folds=2, fold=1).train.indptr) >= 1).all()


def test_by_time_training_comes_before_validation_before_test():
    parts = split(strategy="time", test_share=0.25, validation_share=0.15)
    time_of = dict(zip(PAIRS, TIMES, strict=True))
    train, validation, test = (
        [time_of[pair] for pair in pairs_of(DATA, part)]
        for part in (parts.train, parts.validation, parts.test)
    )
    assert max(train) < min(validation) <= max(validation) < min(test)
    assert len(test) == pytest.approx(0.25 * len(PAIRS), abs=1)
    notes = counted(parts.notes)
    unseen = ~(np.diff(parts.train.indptr) > 0) & (np.diff(parts.test.indptr) > 0)
    assert notes.get("users_unseen_in_training", 0) == unseen.sum()
    with pytest.raises(DataError, match="the split 'time' needs times"):
        split_dataset(dataset_of(PAIRS), SplitConfig(strategy="time"))
    with pytest.raises(DataError, match=r"100\.0% share the last time; use split\.strategy = 'random'"):
        split_dataset(dataset_of(PAIRS, [1] * len(PAIRS)), SplitConfig(strategy="time"))
    days = [1, 2] + [3] * (len(PAIRS) - 2)
    with pytest.raises(DataError, match=r"share the last time; set split\.test_share above that, or use"):
        split_dataset(dataset_of(PAIRS, days), SplitConfig(strategy="time", test_share=0.2))


def test_cold_users_are_not_learned_from_but_known_when_judged():
    parts = split(strategy="cold-users", known_share=0.5)
    cold = np.flatnonzero(np.diff((parts.test + parts.validation).tocsr().indptr))
    assert not parts.train[cold].nnz
    assert (np.diff(parts.known_by[cold].indptr) >= 1).all()
    assert len(np.unique(parts.test.nonzero()[0])) == round(0.2 * (np.diff(DATA.matrix.indptr) >= 2).sum())
    warm = np.setdiff1d(np.arange(40), cold)
    assert (parts.train[warm] != DATA.matrix[warm]).nnz == 0


def test_cold_items_are_not_in_training_and_are_the_candidates():
    parts = split(strategy="cold-items")
    for part in ("test", "validation"):
        assert not parts.train[:, np.flatnonzero(parts.candidates[part])].nnz
        assert parts.candidates[part][getattr(parts, part).indices].all()
    assert not (parts.candidates["test"] & parts.candidates["validation"]).any()
    assert counted(parts.notes)["cold_items"] == parts.candidates["test"].sum()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"strategy": "k-fold", "folds": 3, "fold": 3}, "must be below split.folds = 3, got 3"),
        ({"strategy": "ratio", "test_share": 0.6, "validation_share": 0.5}, "they sum to 1.1"),
    ],
)
def test_impossible_shares_are_refused(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        SplitConfig.read(options, "split")


def test_too_few_users_for_a_cold_split_are_an_error():
    pairs = [("a", "x"), ("a", "y"), ("b", "x")]
    with pytest.raises(DataError, match="1 user that can be held out are too few"):
        split_dataset(dataset_of(pairs), SplitConfig(strategy="cold-users"))
