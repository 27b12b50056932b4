"""Lists are exactly what was asked for, whatever the scores: checked against a slow, literal way to the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from irisrec.recommendation.choosing import Diversity, Limit, choose, first_k

N = 9
few_values = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0])  # few, so that there are ties
values = arrays(np.float64, N, elements=few_values)
tags = st.lists(st.lists(st.integers(0, 3), max_size=2, unique=True), min_size=N, max_size=N)


def by_rank(scores: np.ndarray) -> list[int]:
    return [i for i in np.argsort(-scores, kind="stable") if scores[i] > -np.inf]


@given(arrays(np.float64, (4, N), elements=few_values), st.integers(1, N + 3))
def test_the_first_k_are_those_of_a_stable_sort(scores, k):
    chosen = first_k(scores, k)
    assert chosen.shape == (4, min(k, N))
    for row, expected in zip(chosen, scores, strict=True):
        wanted = by_rank(expected)[:k]
        assert row.tolist() == wanted + [-1] * (min(k, N) - len(wanted))


@given(values, st.integers(1, N + 3), tags, st.integers(1, 3))
def test_limits_pass_over_an_item_exactly_where_one_of_its_values_is_full(scores, k, tagged, n):
    expected: list[int] = []
    for item in by_rank(scores):
        if all(sum(tag in tagged[other] for other in expected) < n for tag in tagged[item]):
            expected.append(item)
    assert choose(scores, np.arange(N), k, [Limit(n, tagged)]).tolist() == expected[:k]


@given(values, st.integers(1, N), st.integers(1, N))
def test_a_limit_on_single_values_leaves_no_place_empty_that_could_be_filled(scores, k, n_values):
    """With one value per item the walk finds as many as there are: asks for k, gets k if k are allowed."""
    allowed = by_rank(scores)
    room = sum(min(2, sum(item % n_values == value for item in allowed)) for value in range(n_values))
    limit = Limit(2, [[item % n_values] for item in range(N)])
    assert len(choose(scores, np.arange(N), k, [limit])) == min(k, room)


unit_vectors = arrays(np.float64, (N, 3), elements=st.sampled_from([-1.0, 0.0, 0.3, 1.0])).map(
    lambda x: x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
)


@given(values, st.integers(1, N), st.sampled_from([0.25, 0.6, 1.0]), st.integers(1, N), unit_vectors, tags)
def test_diversity_is_maximal_marginal_relevance_within_the_limits(scores, k, weight, pool, units, tagged):
    ranked = by_rank(scores)
    limit = Limit(2, tagged)

    def fits(item, chosen):
        return all(sum(tag in tagged[other] for other in chosen) < 2 for tag in tagged[item])

    best = ranked[:pool]
    chosen: list[int] = []
    while len(chosen) < k and (free := [i for i in best if i not in chosen and fits(i, chosen)]):
        low, high = scores[best[-1]], scores[best[0]]

        def gain(i, low=low, high=high):
            relevance = (scores[i] - low) / ((high - low) or 1)
            return (1 - weight) * relevance - weight * max((units[i] @ units[j] for j in chosen), default=0.0)

        top = max(map(gain, free))
        chosen.append(next(i for i in free if gain(i) > top - 1e-12))
    for item in ranked[pool:]:
        if len(chosen) < k and fits(item, chosen):
            chosen.append(item)
    found = choose(scores, np.arange(N), k, [limit], Diversity(weight, pool, units.__getitem__))
    assert len(found) == len(chosen)
    if (
        len({round(float(a @ b), 6) for a in units for b in units}) > 20
    ):  # else ties within rounding may differ
        assert found.tolist() == chosen


def test_limits_are_looked_for_as_far_down_as_needed():
    scores = -np.arange(2000.0)
    limit = Limit(1, [[0]] * 1999 + [[1]])
    assert choose(scores, np.arange(2000), 2, [limit]).tolist() == [0, 1999]
