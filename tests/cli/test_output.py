import numpy as np

from irisrec.cli.output import print_evaluation
from irisrec.evaluation.bootstrap import mean_intervals
from irisrec.evaluation.evaluate import Evaluation


def test_the_interval_of_every_mean_stands_below_it(capsys):
    values = {"hr@10": np.array([1.0, 0.0, 1.0, np.nan]), "ndcg@10": np.array([0.5, 0.0, 0.63, np.nan])}
    means = {name: float(np.nanmean(column)) for name, column in values.items()}
    print_evaluation(Evaluation("test", 3, {"full": means}, {"full": values}, 0.0))
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("all items"))
    assert lines[at].split()[2:] == [f"{mean:.4f}" for mean in means.values()]
    assert lines[at + 1].split() == [
        "{:.4f}–{:.4f}".format(*pair) for pair in mean_intervals(values).values()
    ]
