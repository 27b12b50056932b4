import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from irisrec.data.config import SplitConfig
from irisrec.data.split import Split
from irisrec.data.splits import leave_one_out, split_dataset
from irisrec.errors import DataError
from irisrec.notes import counted
from tests.data.helpers import dataset_of, pairs_of

LONG = [("ann", "a"), ("ann", "b"), ("ann", "c"), ("ann", "d"), ("bob", "a"), ("bob", "b"), ("cleo", "a")]
ids = st.integers(0, 9) | st.integers(-(2**62), 2**62)
pair_lists = st.lists(st.tuples(ids, st.integers(0, 12)), min_size=2, max_size=60, unique=True)


def parts(dataset, split):
    return [set(pairs_of(dataset, part)) for part in (split.train, split.validation, split.test)]


@given(pairs=pair_lists, seed=st.integers(0, 3), validation=st.sampled_from([None, "random", "last"]))
def test_parts_are_disjoint_complete_and_leave_every_user_a_history(pairs, seed, validation):
    dataset = dataset_of(pairs, times=[i % 4 for i in range(len(pairs))])
    split = leave_one_out(dataset, "random", validation, seed)
    train, held, test = parts(dataset, split)
    assert train | held | test == set(pairs)
    assert len(train) + len(held) + len(test) == len(pairs)
    sizes = np.diff(dataset.matrix.indptr)
    assert (np.diff(split.test.indptr) == (sizes >= 2)).all()
    assert (np.diff(split.validation.indptr) == ((sizes >= 3) & (validation is not None))).all()
    assert (np.diff(split.train.indptr) >= 1).all()


@given(pairs=pair_lists, data=st.data())
def test_a_random_target_depends_on_ids_and_seed_alone(pairs, data):
    shuffled = data.draw(st.permutations(pairs))
    one, other = dataset_of(pairs), dataset_of(shuffled)
    assert parts(one, leave_one_out(one, "random", "random")) == parts(
        other, leave_one_out(other, "random", "random")
    )
    user = pairs[0][0]
    alone = dataset_of([pair for pair in pairs if pair[0] == user])
    for everyone, only in zip(
        parts(one, leave_one_out(one, "random", "random")),
        parts(alone, leave_one_out(alone, "random", "random")),
        strict=True,
    ):
        assert {pair for pair in everyone if pair[0] == user} == only


def test_random_targets_are_uniform_over_a_history():
    pairs = [(user, item) for user in range(6000) for item in range(4)]
    dataset = dataset_of(pairs)
    for part in parts(dataset, leave_one_out(dataset, "random", "random"))[1:]:
        shares = np.bincount([item for _, item in part], minlength=4) / 6000
        assert np.abs(shares - 0.25).max() < 0.03  # five standard deviations


def test_the_same_seed_gives_the_same_targets_on_every_machine_and_another_seed_others():
    pairs = [(user, item) for user in range(50) for item in range(20)]
    dataset = dataset_of(pairs)
    first = leave_one_out(dataset, "random", "random", seed=1)
    assert [item for _, item in sorted(parts(dataset, first)[2])[:8]] == [1, 4, 9, 18, 6, 8, 6, 8]
    again, other = (leave_one_out(dataset_of(pairs), "random", "random", seed) for seed in (1, 2))
    assert parts(dataset, first) == parts(dataset, again)
    assert len(parts(dataset, first)[2] & parts(dataset, other)[2]) < 15


def test_strings_and_integers_split_alike_well():
    dataset = dataset_of([(str(user), item) for user in range(300) for item in "abcd"])
    shares = [
        sum(item == letter for _, item in parts(dataset, leave_one_out(dataset, "random", None))[2])
        for letter in "abcd"
    ]
    assert min(shares) > 45


def test_last_holds_out_the_latest_and_then_the_one_before():
    dataset = dataset_of(LONG, times=[4, 1, 3, 2, 9, 8, 7])
    train, validation, test = parts(dataset, split_dataset(dataset, SplitConfig(strategy="last")))
    assert test == {("ann", "a"), ("bob", "a")}
    assert validation == {("ann", "c")}
    assert train == {("ann", "b"), ("ann", "d"), ("bob", "b"), ("cleo", "a")}


def test_of_equal_times_the_later_row_is_the_later():
    dataset = dataset_of(LONG, times=[1] * 7)
    _, validation, test = parts(dataset, split_dataset(dataset, SplitConfig(strategy="last")))
    assert test == {("ann", "d"), ("bob", "b")}
    assert validation == {("ann", "c")}


def test_users_with_too_few_interactions_are_counted():
    dataset = dataset_of(LONG)
    split = split_dataset(dataset, SplitConfig())
    assert counted(split.notes) == {"users_in_train_only": 1, "users_without_validation": 1}
    assert split.notes[0].examples == ("cleo",)
    without = split_dataset(dataset, SplitConfig(validation=False))
    assert counted(without.notes) == {"users_in_train_only": 1}
    assert without.validation.nnz == 0
    assert str(without) == "5 interactions for training, 0 for validation, 2 for test"


def test_validation_may_be_chosen_in_another_way_than_test():
    dataset = dataset_of(LONG, times=range(7))
    split = split_dataset(dataset, SplitConfig(validation="last"))
    left = {item for user, item in pairs_of(dataset, split.train + split.validation) if user == "ann"}
    assert ("ann", max(left)) in parts(dataset, split)[1]


def test_last_without_times_is_an_error_that_counts_them():
    with pytest.raises(DataError, match=r"needs times, the interactions have none; set data.columns.time"):
        split_dataset(dataset_of(LONG), SplitConfig(strategy="last"))
    with pytest.raises(DataError, match=r"2 of 7 have none; use split.strategy = 'random'"):
        split_dataset(dataset_of(LONG, times=[1, None, 3, None, 5, 6, 7]), SplitConfig(strategy="last"))


def test_a_time_that_is_no_number_counts_as_none():
    dataset = dataset_of(LONG, times=[1.0, float("nan"), 3.0, 4.0, 5.0, 6.0, 7.0])
    with pytest.raises(DataError, match="1 of 7 have none"):
        split_dataset(dataset, SplitConfig(strategy="last"))


def test_a_split_whose_parts_overlap_is_refused():
    matrix = dataset_of(LONG).matrix
    none = csr_matrix(matrix.shape, dtype=np.float32)
    with pytest.raises(DataError, match="must be disjoint, 7 pairs are shared"):
        Split(matrix, none, matrix)
    with pytest.raises(DataError, match="must have the shape of train"):
        Split(matrix, matrix[:1], matrix)
    with pytest.raises(DataError, match="validation must hold ones, got values such as 2"):
        Split(matrix, matrix * 2, none)
    with pytest.raises(DataError, match="no interaction is left for training"):
        Split(none, matrix, none)
