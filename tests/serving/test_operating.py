"""Reload, limits, pictures, metrics, logs and settings."""

import io
import json
import logging
import shutil

import pytest
from PIL import Image

from irisrec.errors import ConfigError
from irisrec.serving.config import ServeSettings
from irisrec.serving.logs import JsonLines
from tests.serving.small import write_run

LIST = {"history": ["i03", "i07"], "k": 3}


def test_a_reload_serves_the_new_run_and_keeps_the_histories(client_of, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(write_run(tmp_path / "runs" / "old"))
    client = client_of(run=link)
    client.post("/interactions", json={"events": [{"user_id": "new", "item_id": "i04"}]})
    before = client.post("/recommend", json=LIST).json()
    link.unlink()
    link.symlink_to(write_run(tmp_path / "more" / "new", seed=9))
    answer = client.post("/admin/reload", json={}).json()
    assert (answer["run"], answer["generation"]) == ("new", 2)
    assert client.post("/recommend", json=LIST).json() != before
    assert client.get("/users/new/history").json()["n_events"] == 1


def test_a_run_beside_the_first_is_loaded_by_its_name(client_of, tmp_path):
    client = client_of(run=write_run(tmp_path / "runs" / "old"))
    shutil.copytree(tmp_path / "runs" / "old", tmp_path / "runs" / "2024-06-01")
    assert client.post("/admin/reload", json={"run": "2024-06-01"}).json()["run"] == "2024-06-01"


@pytest.mark.parametrize("name", ["..", ".", "../runs/old", "/tmp", "a/b", "a\\b", "missing"])
def test_no_folder_elsewhere_can_be_loaded(client, name):
    assert client.post("/admin/reload", json={"run": name}).status_code == 422
    assert client.get("/version").json()["generation"] == 1


@pytest.mark.parametrize("damage", ["cut", "sealed nonsense", "no users"])
def test_a_damaged_run_leaves_the_old_one_in_place(client_of, tmp_path, damage):
    from irisrec.sums import seal

    client = client_of(run=write_run(tmp_path / "runs" / "old"))
    new = write_run(tmp_path / "runs" / "new", seed=9)
    weights = new / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "sealed nonsense":
        weights.write_bytes(b"nonsense" * 100)
        seal(weights)
    else:
        (new / "users.parquet").unlink()
    before = client.post("/recommend", json=LIST).json()
    answer = client.post("/admin/reload", json={"run": "new"})
    assert answer.status_code == 422
    assert "Traceback" not in answer.text
    assert client.post("/recommend", json=LIST).json() == before
    assert client.get("/ready").json() == {"status": "ready", "generation": 1}
    assert 'irisrec_reloads_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_a_run_with_other_kinds_of_ids_is_refused(client_of, tmp_path):
    client = client_of(run=write_run(tmp_path / "runs" / "old"))
    write_run(tmp_path / "runs" / "new", integer_users=True)
    answer = client.post("/admin/reload", json={"run": "new"})
    assert answer.status_code == 409
    assert "the new run has integer ids of users and string ids of items" in answer.json()["message"]


def test_pictures_of_the_catalog_are_served_small_and_nothing_else(client, run):
    answer = client.get("/pictures/i00?size=96")
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (96, 72)
    for id in ("i01", "i02", "nope", "../../etc/passwd", str(run.parent / "teal.png"), "i00%2f..%2fi00"):
        missing = client.get(f"/pictures/{id}")
        assert missing.status_code == 404, id
        assert str(run.parent / "gone.png") not in missing.text
    assert client.get("/pictures/i00?size=5000").status_code == 422


def test_a_picture_bomb_in_the_catalog_is_not_unpacked(client_of, tmp_path, monkeypatch):
    monkeypatch.setattr("irisrec.features.pictures.MAX_PIXELS", 10_000)
    client = client_of(run=write_run(tmp_path / "runs" / "bomb"))
    assert client.get("/pictures/i00").status_code == 404


def test_a_body_that_is_too_large_is_turned_away_also_where_it_comes_in_pieces(client_of):
    client = client_of(limits={"body_bytes": 1000})
    headers = {"Content-Type": "application/json"}
    large = b'{"history": [' + b" " * 2000 + b"]}"
    for content in (large, iter([large[:900], large[900:]])):
        answer = client.post("/recommend", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["message"] == "the body may have at most 1,000 bytes here"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"k": ' + b"9" * 5000 + b"}", b'{"k": NaN}',
     b'{"history": ["\\ud800"]}', b'{"history": ["a\\u0000"]}', b'{"history": [true]}', b'{"history": [1e400]}',
     b'{"user_id": 99999999999999999999}', b'{"history": [], "half_life": -1}', b'{"history": [], "k": "3"}'],
)  # fmt: skip
def test_malformed_bodies_are_answered_with_a_sentence(client, body):
    answer = client.post("/recommend", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]


def test_an_error_that_nobody_foresaw_shows_no_trace_and_is_logged_with_its_id(client, caplog, monkeypatch):
    logger = logging.getLogger("irisrec.serving.requests")
    monkeypatch.setattr(logger, "propagate", True)
    service = client.app.state.service
    monkeypatch.setattr(service, "recommend", None)
    answer = client.post("/recommend", json=LIST)
    assert answer.status_code == 500
    assert "NoneType" not in answer.text
    record = next(record for record in caplog.records if record.exc_info)
    line = json.loads(JsonLines().format(record))
    assert line["request_id"] == answer.json()["request_id"]
    assert "TypeError" in line["trace"]


def test_metrics_and_logs_name_patterns_of_paths_and_no_users(client, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("irisrec.serving.requests"), "propagate", True)
    caplog.set_level(logging.INFO)
    client.get("/users/u3/history")
    client.post("/recommend", json=LIST)
    text = client.get("/metrics").text
    assert (
        'irisrec_requests_total{method="GET",route="/users/{user_id:path}/history",status="200"} 1.0' in text
    )
    assert "irisrec_batch_size_count 1.0" in text
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    requests = [line for line in lines if line["message"] == "request"]
    assert [line["route"] for line in requests[:2]] == ["/users/{user_id:path}/history", "/recommend"]
    assert not any("u3" in str(line) for line in requests)


def test_a_service_whose_store_is_away_is_not_ready_but_answers_histories(client, monkeypatch):
    from irisrec.serving.errors import UnavailableError

    def away(*_, **__):
        raise UnavailableError("the history store does not answer; try again")

    monkeypatch.setattr(client.app.state.service.store.database, "_try", away)
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200
    assert client.post("/recommend", json=LIST).status_code == 200
    answer = client.post("/recommend", json={"user_id": "u3"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_settings_come_from_file_environment_and_options_in_this_order(tmp_path):
    file = tmp_path / "serve.toml"
    file.write_text('run = "a"\nport = 1\nverb = "read"\n[limits]\nk = 5\nbatch = 6\n')
    environment = {"IRISREC_SERVE_PORT": "2", "IRISREC_SERVE_LIMITS__K": "7", "IRISREC_SERVE_VERB": "bought"}
    settings = ServeSettings.gather(file, environment, port=3)
    assert (settings.port, settings.verb) == (3, "bought")
    assert (settings.limits.k, settings.limits.batch) == (7, 6)
    with pytest.raises(ConfigError, match=r"unknown option serve\.limits\.kk"):
        ServeSettings.gather(file, {"IRISREC_SERVE_LIMITS__KK": "7"})
    with pytest.raises(ConfigError, match=r"option serve\.run is required"):
        ServeSettings.gather(environment={})
