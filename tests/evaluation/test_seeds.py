import polars as pl
import pytest

from irisrec.evaluation.seeds import average_over_seeds, spread_over_seeds


def frame(*values: float, order: tuple[int, ...] = (1, 2)) -> pl.DataFrame:
    rows = {1: ("full", 3, values[0]), 2: ("full", 5, values[1])}
    return pl.DataFrame(
        [(user, *rows[user]) for user in order],
        schema=["user_id", "protocol", "history_length", "hr@10"],
        orient="row",
    )


def test_users_keep_their_mean_over_the_seeds_whatever_the_order_of_rows():
    averaged = average_over_seeds([frame(1.0, 0.0), frame(0.0, 0.0, order=(2, 1)), frame(1.0, 1.0)])
    assert averaged["user_id"].to_list() == [1, 2]
    assert averaged["history_length"].to_list() == [3, 5]
    assert averaged["hr@10"].to_list() == pytest.approx([2 / 3, 1 / 3])


def test_the_spread_is_that_of_the_means_of_the_runs():
    spread = spread_over_seeds([frame(1.0, 0.0), frame(1.0, 1.0), frame(0.0, 0.0)])
    assert spread == {("full", "hr@10"): pytest.approx(0.5)}
    assert spread_over_seeds([frame(1.0, 0.0)]) == {}
