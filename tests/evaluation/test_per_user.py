import numpy as np
import polars as pl

from irisrec.data.dataset import pairs_matrix
from irisrec.data.split import Split
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.evaluation.per_user import metrics_of, per_user_frame
from irisrec.ids import IdMap
from irisrec.models.popularity import Popularity


def matrix(pairs):
    rows, columns = np.array(pairs).T
    return pairs_matrix(rows, columns, (3, 5))


def test_every_user_with_a_target_has_a_row_under_each_protocol():
    train = matrix([(0, 0), (0, 1), (1, 1), (2, 4)])
    split = Split(train, matrix([(0, 3)]), matrix([(0, 2), (1, 0), (1, 2)]))
    model = Popularity(5).fit(train)
    evaluation = evaluate(model, split, EvaluationConfig(cutoffs=(2,), n_sampled=2))
    present = {"image": np.array([True, True, False, True, True])}
    frame = per_user_frame(evaluation, split, IdMap(["ann", "bob", "cy"], "user"), present)
    assert frame["user_id"].to_list() == ["ann", "bob"] * 2
    assert frame["protocol"].to_list() == ["full"] * 2 + ["sampled-2"] * 2
    assert frame["history_length"].to_list()[:2] == [2, 1]
    assert frame["target_popularity"].to_list()[:2] == [0, 0.5]
    assert frame["target_has_image"].to_list()[:2] == [False, False], (
        "of bob's two targets one has no picture"
    )
    assert metrics_of(frame) == ["hr@2", "ndcg@2"]
    means = frame.group_by("protocol").agg(pl.col("ndcg@2").mean())
    for protocol, mean in means.iter_rows():
        assert np.isclose(mean, evaluation.metrics[protocol]["ndcg@2"])
