import json

import pytest
from typer.testing import CliRunner

from irisrec.cli.main import app
from irisrec.errors import ModelError
from irisrec.evaluation.robustness import FILLINGS
from irisrec.experiments.robustness import measure_robustness
from tests.experiments.pages import Page, run_in, write_world


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    write_world(root / "world")
    features = {
        "image": {"encoder": "colour-hog"},
        "text": {"encoder": "doc2vec", "epochs": 5, "dim": 8, "min_count": 1},
    }
    evaluation = {"n_sampled": 0, "cutoffs": [5], "metrics": ["hr", "ndcg"]}
    model = {"name": "multimodal-iris", "dim": 8, "hidden": 8, "content_factors": True}
    shared = {"features": features, "evaluation": evaluation}
    run_in(root / "world", root / "both", model=model, **shared)
    one = {**shared, "features": {"image": features["image"]}}
    run_in(root / "world", root / "image", model={**model, "name": "image-iris"}, **one)
    run_in(root / "world", root / "popularity", model={"name": "popularity"}, features={})
    return root


def test_curves_begin_at_the_run_itself_and_every_modality_has_one(runs):
    found = measure_robustness(runs / "both")
    saved = json.loads((runs / "both" / "evaluation.json").read_text())
    assert found.metric == "ndcg@5"
    assert list(found.curves) == ["image", "text", "all"]
    for ways in found.curves.values():
        assert tuple(ways) == FILLINGS
        for points in ways.values():
            assert [point.share for point in points] == [0, 0.25, 0.5, 0.75, 1]
            assert points[0].mean == pytest.approx(saved["protocols"]["full"]["ndcg@5"])
            assert all(point.low <= point.mean <= point.high for point in points)
    assert found.popularity == pytest.approx(saved["baselines"]["popularity"]["full"]["ndcg@5"])
    assert found.n_users == saved["n_users"]


def test_the_same_seed_finds_the_same_and_the_model_is_unchanged(runs):
    first, second = (measure_robustness(runs / "both", seed=3).to_json() for _ in range(2))
    assert first == second
    assert first != measure_robustness(runs / "both", seed=4).to_json()


def test_one_modality_has_one_curve(runs):
    assert list(measure_robustness(runs / "image").curves) == ["image"]


def test_the_command_prints_keeps_and_draws_what_it_found(runs):
    run = runs / "both"
    (run / "robustness.json").unlink(missing_ok=True)
    assert CliRunner().invoke(app, ["report", str(run)]).exit_code == 0
    assert f"irisrec robustness {run}" in Page((run / "report.html").read_text()).text
    result = CliRunner().invoke(app, ["robustness", str(run), "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found == json.loads((run / "robustness.json").read_text())
    page = (run / "report.html").read_text()
    section = page[page.index('<section id="robustness"') :]
    section = section[: section.index("</section>")]
    assert section.count("<svg") == 3
    assert all(sentence in Page(section).text for sentence in found["sentences"])
    text = CliRunner().invoke(app, ["robustness", str(run)]).stdout
    half = found["curves"]["text"]["mean"][2]
    assert f"{half['mean']:.4f} [{half['low']:.4f}–{half['high']:.4f}]" in text
    assert "text, filled with the mean vector" in text
    assert "Popularity, which reads no content" in text


def test_a_model_without_modalities_misses_nothing(runs):
    with pytest.raises(ModelError, match="popularity reads no modality that could be missing"):
        measure_robustness(runs / "popularity")
