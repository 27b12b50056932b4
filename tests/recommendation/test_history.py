from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from irisrec.errors import DataError
from irisrec.recommendation.history import History, as_numbers, recency


def test_an_item_older_by_a_half_life_counts_half():
    weights = recency(np.array([10.0, 40.0, 70.0]), half_life=30)
    assert weights[1] / weights[2] == pytest.approx(0.5)
    assert weights[0] / weights[2] == pytest.approx(0.25)
    assert weights.mean() == pytest.approx(1)


def test_only_the_times_between_items_matter_and_an_unknown_time_counts_one():
    times = np.array([3.0, np.nan, 8.0])
    np.testing.assert_allclose(recency(times, 4), recency(times + 1e4, 4))
    assert recency(times, 4)[1] == 1
    assert recency(np.array([5.0, 5.0]), 1).tolist() == [1, 1]
    assert recency(np.array([np.nan]), 1).tolist() == [1]


def test_dates_datetimes_and_texts_are_given_in_days():
    day = date(2024, 2, 1)
    for times in (
        [day, None],
        [datetime(2024, 2, 1), None],
        ["2024-02-01", None],
        ["2024-02-01T00:00:00+00:00", None],
        [datetime(2024, 2, 1, tzinfo=UTC), None],
        pl.Series([day, None]),
    ):
        found = as_numbers(times)
        assert found[0] == (day - date(1970, 1, 1)).days
        assert np.isnan(found[1])
    assert as_numbers([5, 2.5, None])[:2].tolist() == [5, 2.5]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: History(["a", "b"], weights=[1]), "one of its weights per item, got 2 items and 1 weights"),
        (lambda: History(["a", "b"], times=[1, 2, 3]), "one of its times per item, got 2 items and 3 times"),
        (lambda: History(["a", "b", "a"]), "once in a history with weights or times, more than once: 'a'"),
        (lambda: History(["a", "b"], weights=[1, 0]), "must be above 0 and finite, got 0"),
        (lambda: History(["a"], weights=[float("nan")]), "must be above 0 and finite, got nan"),
        (lambda: recency(np.ones(1), 0), "the half-life must be above 0, got 0"),
        (lambda: as_numbers(["soon"]), "a time must be a number or a date such as 2024-01-31, got 'soon'"),
        (
            lambda: as_numbers([1, "soon"]),
            "times must be all numbers, all dates or all datetimes, got 1, 'soon'",
        ),
        (lambda: as_numbers([True]), "times must be numbers, dates or datetimes, got True"),
    ],
)
def test_wrong_histories_are_one_sentence(make, sentence):
    with pytest.raises(DataError) as error:
        make()
    assert sentence in str(error.value)
