import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.stats import bootstrap

from irisrec.errors import DataError
from irisrec.evaluation.bootstrap import bootstrap_means, interval, mean_intervals
from irisrec.evaluation.significance import compare, holm, wilcoxon
from irisrec.evaluation.slices import slices, slices_of


def frame(values, **columns):
    n = len(values)
    rng = np.random.default_rng(9)
    return pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(n)],
            "protocol": "full",
            "history_length": rng.integers(1, 50, n),
            "target_popularity": rng.integers(0, 9, n).astype(float),
            "target_has_image": rng.random(n) < 0.7,
            "ndcg@10": values,
        }
        | columns
    )


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(0).exponential(size=300)
    low, high = interval(bootstrap_means(values[:, None], 4000, seed=1), 0.95)[:, 0]
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=2).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = []
    for seed in range(200):
        low, high = interval(bootstrap_means(rng.normal(3, 1, (100, 1)), 300, seed), 0.9)[:, 0]
        held.append(low <= 3 <= high)
    assert 0.83 < np.mean(held) < 0.96


def test_a_run_has_one_interval_alone_and_in_any_comparison():
    rng = np.random.default_rng(0)
    runs = {"a": frame(rng.random(300)), "b": frame(rng.random(300))}
    for row in compare({"a": runs["a"], "b": runs["b"].reverse()}).iter_rows(named=True):
        values = np.insert(runs[row["run"]]["ndcg@10"].to_numpy(), 5, np.nan)  # a user without target
        found = mean_intervals({"ndcg@10": values, "auc": np.full(301, np.nan)})
        assert found == {"ndcg@10": (row["low"], row["high"])}


def test_a_better_run_is_found_and_its_equal_is_not():
    rng = np.random.default_rng(0)
    base = rng.random(500)
    runs = {
        "base": frame(base),
        "better": frame(base + 0.02 + rng.normal(0, 0.05, 500)),
        "like": frame(base + rng.normal(0, 0.05, 500)),
        "same": frame(base),
    }
    table = {row["run"]: row for row in compare(runs).iter_rows(named=True)}
    assert table["base"]["difference"] is None
    assert table["base"]["p_holm"] is None
    assert table["better"]["difference_low"] > 0.01
    assert table["better"]["p_holm"] < 1e-6
    assert table["like"]["difference_low"] < 0 < table["like"]["difference_high"]
    assert table["like"]["p_holm"] > 0.05
    assert (table["same"]["difference"], table["same"]["p"]) == (0, 1)
    assert table["better"]["high"] - table["better"]["low"] > 0.03, "means vary more than paired differences"


def test_the_order_of_users_and_the_seed_decide_nothing_they_should_not():
    rng = np.random.default_rng(1)
    a, b = frame(rng.random(80)), frame(rng.random(80))
    table = compare({"a": a, "b": b})
    assert table.equals(compare({"a": a, "b": b.sample(fraction=1, shuffle=True, seed=3)}))
    assert not table.equals(compare({"a": a, "b": b}, seed=1))


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_of_few_users_the_p_is_that_of_scipy_ties_and_zeros_included(n):
    rng = np.random.default_rng(n)
    for differences in (rng.choice([-0.5, 0.0, 0.5, 0.63], n), rng.normal(1, 1, n)):
        if differences.any():
            theirs = stats.wilcoxon(differences, zero_method="pratt").pvalue
            assert wilcoxon(differences) == pytest.approx(theirs)


def test_false_alarms_stay_rare_over_many_comparisons():
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        p = np.array([wilcoxon(rng.normal(size=40)) for _ in range(8)])
        alarms += bool((holm(p) < 0.05).any())
    assert alarms <= 8, "each family of 8 tests may alarm falsely in 5 %"


def test_different_users_cannot_be_compared():
    values = np.zeros(5)
    with pytest.raises(DataError, match=r"a has 5 under full and b 4, not in both: 'u4'"):
        compare({"a": frame(values), "b": frame(values).head(4)})


def test_a_value_that_a_user_lacks_has_no_part_in_the_mean():
    values = [0.0, 1.0, None, 1.0]
    row = compare({"a": frame(values)}).row(0, named=True)
    assert row["n_users"] == 3
    assert row["mean"] == pytest.approx(2 / 3)
    nobody = compare({"a": frame([None, None]), "b": frame([None, None])}, ["ndcg@10"])
    assert nobody["mean"].null_count() == 2


def test_cold_users_and_items_are_slices_and_everybody_is_none():
    data = frame(np.zeros(6), history_length=[0, 0, 3, 3, 3, 3], target_popularity=np.full(6, 2.0))
    data = data.with_columns(target_has_image=pl.lit(True))
    assert [(name, len(users)) for _, name, users in slices_of(data)] == [
        ("cold: no history", 2),
        ("3 items in the history", 4),
    ]


def test_slices_part_the_users_by_each_variable():
    data = frame(np.random.default_rng(0).random(200))
    found = {}
    for variable, _, users in slices_of(data):
        found.setdefault(variable, []).extend(users)
    assert set(found) == {"history_length", "target_popularity", "image"}
    for users in found.values():
        assert sorted(users) == sorted(data["user_id"]), "every user stands in one slice"
    table = slices({"a": data, "b": data})
    assert "target without image" in table["slice"]
    assert "cold: no training interaction" in table["slice"]
    assert table.filter(pl.col("run") == "b")["difference"].abs().max() == 0
