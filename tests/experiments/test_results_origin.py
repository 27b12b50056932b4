"""Where runs of the page of results come from: machines, costs, studies."""

import pytest

from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder
from irisrec.experiments.markdown import fold
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.results.costs import costs_table, places_in_words
from irisrec.experiments.results.method import methods_of
from irisrec.experiments.results.origins import settings
from irisrec.experiments.results.overview import overview
from irisrec.experiments.results.place import Place, name_places
from irisrec.experiments.results.section import finished_runs
from irisrec.experiments.results.standing import Standing
from irisrec.experiments.results.studies import studies_below
from irisrec.experiments.tuning.study import Budget
from irisrec.experiments.tuning.tune import tune

CPU = {"processor": "Some Xeon", "cores": 2, "system": "Linux x86_64"}
GPU = {"processor": "Other Xeon", "cores": 16, "system": "Linux x86_64", "gpu": "NVIDIA H100"}


def run(tmp_path, model, machine, seconds, seed=0, epochs=4, device="auto"):
    values = {
        "data": {"source": "shop", "root": str(tmp_path)},
        "model": model,
        "training": {"seed": seed, "device": device},
    }
    info = {"training_seconds": seconds, "threads": 2, "peak_memory_bytes": 10**9}
    if machine:
        info["machine"] = machine
    return FinishedRun(RunFolder(tmp_path), ExperimentConfig.read(values), info, {}, [{}] * epochs)


def test_times_of_two_machines_are_never_averaged(tmp_path):
    runs = [
        run(tmp_path, {"name": "fism"}, CPU, 100.0, seed=0),
        run(tmp_path, {"name": "fism"}, GPU, 10.0, seed=1),
        run(tmp_path, {"name": "fism"}, GPU, 14.0, seed=2),
    ]
    places = name_places(runs)
    lines = costs_table(methods_of(runs), places).splitlines()[2:]
    assert [line.split(" | ")[:4] for line in lines] == [
        ["| FISM", "CPU", "1", "100.0 s"],
        ["| FISM", "GPU", "2", "12.0 s ± 2.83 s"],
    ]
    said = places_in_words(places)
    assert said[0] == "CPU: Some Xeon, 2 cores, 2 threads."
    assert said[1] == "GPU: NVIDIA H100, beside Other Xeon, 16 cores, 2 threads, which judged."
    assert "cannot be held against one another" in said[2]


def test_a_gpu_counts_only_where_training_used_it(tmp_path):
    fitted = run(tmp_path, {"name": "ease"}, GPU, 1.0, epochs=0)
    on_cpu = run(tmp_path, {"name": "fism"}, GPU, 1.0, device="cpu")
    assert Place.of(fitted) == Place.of(on_cpu) == Place("Other Xeon", 16, 2, None)
    unknown = run(tmp_path, {"name": "fism"}, None, 1.0)
    assert str(Place.of(unknown)) == "a machine not known, 2 threads"
    assert [*name_places([fitted, unknown]).values()] == ["CPU 1", "CPU 2"]


def test_a_method_is_called_tuned_where_a_study_has_chosen_its_values(tmp_path):
    pytest.importorskip("optuna")
    shop = {"source": "shop", "root": str(tmp_path / "data"), "shop": {"n_users": 60, "n_items": 40}}
    config = ExperimentConfig.read({"data": shop, "model": {"name": "ease"}})
    study = tune(config, tmp_path / "studies" / "ease", Budget(2))
    chosen = study["best"]["options"]
    (finding,) = studies_below([tmp_path])
    assert finding.options == chosen
    assert finding.trials == 2
    runs = [
        run(tmp_path, {"name": "ease", "regularization": weight}, CPU, 1.0, epochs=0)
        for weight in (chosen["model.regularization"], 3.25)
    ]
    for one in runs:
        one.info["data_fingerprint"] = study["data_fingerprint"]
    said = settings(methods_of(runs), [finding])
    assert "tuned in 2 trials, best validation NDCG@10" in said[0]
    assert "(no study): regularization 3.25." in said[1]
    runs[0].info["data_fingerprint"] = "other data"
    assert "(no study)" in settings(methods_of(runs), [finding])[0]


def test_a_folder_of_studies_alone_is_no_mistake_beside_runs(tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").write_text("{}")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"state": "finished"}')
    monkeypatch.setattr(FinishedRun, "load", lambda folder: folder.path.name)
    assert finished_runs([tmp_path / "run", tmp_path / "study"]) == ["run"]
    assert studies_below([tmp_path / "study"]) == []


def test_the_overview_names_every_method_once_and_marks_the_first():
    def stand(protocol, **values):
        class Fixed(Standing):
            def estimate(self, method, metric):
                p = 0.01 if values[method] < 0.2 else 0.9
                interval = {"difference_low": -0.4, "difference_high": -0.2}
                return {"mean": values[method], "p_holm": p, **interval}

        order = tuple(sorted(values, key=values.__getitem__, reverse=True))
        return Fixed(protocol, ("ndcg@10",), "ndcg@10", order, None, None, {})

    found = overview([("a", [stand("full", x=0.3, y=0.2)]), ("b", [stand("sampled-9", z=0.4, y=0.1)])])
    assert found.splitlines()[2:] == [
        "| method | a, all items | b, 9 sampled |",
        "| --- | --- | --- |",
        "| x | **0.3000** | – |",
        "| y | 0.2000 | 0.1000* |",
        "| z | – | **0.4000** |",
    ]


def test_what_is_folded_stays_markdown():
    assert fold("More", "| a |") == "<details>\n<summary>More</summary>\n\n| a |\n\n</details>"
