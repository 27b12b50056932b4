"""The built-in shop, whole: the cause of every purchase is planted, so one can ask whether the model finds it."""

from pathlib import Path

import numpy as np
import pytest

from irisrec.data.planted.options import ShopOptions
from irisrec.evaluation.config import EvaluationConfig
from irisrec.evaluation.evaluate import evaluate
from irisrec.experiments.causes import planted_reasons
from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.run import fit_model, prepare

CONFIG = Path(__file__).parents[2] / "configs" / "shop.toml"
SHORT = "training.epochs=10"  # half of what the config takes: less good, in the same order
FISM = [
    "model.name=fism",
    "training.weight_decay=0.3",
    "training.history_dropout=0",
]  # its best on validation


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(folder / "cache"))
        root = f"data.root={folder}"
        prepared = prepare(ExperimentConfig.load(CONFIG, [root]))

        def judge(*overrides):
            model, _ = fit_model(ExperimentConfig.load(CONFIG, [root, SHORT, *overrides]), prepared)
            return model, evaluate(model, prepared.split, EvaluationConfig(cutoffs=(10, 50), lists=False))

        yield (
            prepared,
            {
                "popularity": judge("model.name=popularity"),
                "fism": judge(*FISM),
                "image-iris": judge("model.name=image-iris"),
                "text-iris": judge("model.name=text-iris"),
                "multimodal-iris": judge(),
            },
        )


@pytest.mark.parametrize("other", ["popularity", "fism", "image-iris", "text-iris"])
def test_multimodal_iris_beats_the_others_by_several_standard_errors(judged, other):
    _, models = judged
    # in ten of 600 places most users have nothing to compare: fifty say the same with half the noise
    ours, theirs = (models[name][1].per_user["full"]["ndcg@50"] for name in ("multimodal-iris", other))
    difference = ours - theirs
    standard_error = difference.std() / np.sqrt(len(difference))
    assert difference.mean() > 2.5 * standard_error, (
        f"{difference.mean():.4f} with standard error {standard_error:.4f}"
    )


def test_single_modalities_beat_popularity(judged):
    _, models = judged
    floor = models["popularity"][1].metrics["full"]["ndcg@10"]
    assert (
        min(models[name][1].metrics["full"]["ndcg@10"] for name in ("image-iris", "text-iris")) > 1.5 * floor
    )


def test_the_top_reason_is_the_planted_one_clearly_more_often_than_chance(judged):
    prepared, models = judged
    model, evaluation = models["multimodal-iris"]
    hits = evaluation.per_user["full"]["hr@10"] == 1
    found = planted_reasons(model, prepared.dataset, prepared.split, hits, ShopOptions())
    print(found)
    assert found.top.n > 200
    for judged in (found.top, found.taste, found.modality, found.told_modality):
        standard_error = np.sqrt(judged.chance * (1 - judged.chance) / judged.n)
        assert judged.rate > judged.chance + 5 * standard_error
    assert found.told_modality.rate > 0.9
    # no more can be asked of reasons that look at one pair at a time
    assert found.top.rate > found.top.expert - 3 * np.sqrt(found.top.expert * 0.1 / found.top.n)


def test_hits_without_a_cause_or_without_anything_to_share_are_not_judged(judged):
    prepared, models = judged
    nobody = np.zeros(prepared.dataset.n_users, bool)
    found = planted_reasons(
        models["multimodal-iris"][0], prepared.dataset, prepared.split, nobody, ShopOptions()
    )
    assert found.top.n == found.n_hits == 0
    assert found.top.rate is None
    assert str(found) == "the top reason carries the planted interest in no hit where one can"
    everybody = ~nobody
    found = planted_reasons(models["fism"][0], prepared.dataset, prepared.split, everybody, ShopOptions())
    assert 0.8 * len(everybody) > found.top.n > 0.5 * len(everybody)  # noise, and interests bought once
    assert found.modality.n == 0  # FISM reads none
