"""The OpenAPI document is true: requests made from it, right and wrong ones, find nothing."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from starlette.testclient import TestClient

from irisrec.serving.app import create_app
from irisrec.serving.keys import hashed, new_key
from irisrec.serving.service import Service
from tests.serving.small import settings_of

KEY = new_key()
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def app(run, tmp_path_factory):
    database = f"sqlite:///{tmp_path_factory.mktemp('schema') / 'history.sqlite3'}"
    keys = [{"name": "schema", "scope": "write", "sha256": hashed(KEY)}]
    options = {"database": database, "keys": keys, "rate": {"per_second": 0}}
    service = Service.open(settings_of(run, **options))
    close, service.close = (
        service.close,
        lambda: None,
    )  # schemathesis starts and ends the app for each request
    yield create_app(service)
    close()


@pytest.fixture(scope="module")
def document(app):
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)
    # what a schema cannot say, such as an item that is not in the catalog, is refused with 422, too
    schema.config.checks.positive_data_acceptance.expected_statuses = [
        "200",
        "201",
        "404",
        "409",
        "413",
        "422",
    ]
    rejected = schema.config.checks.negative_data_rejection
    rejected.expected_statuses = [*rejected.expected_statuses, "413"]
    return schema


@pytest.mark.parametrize("mode", GenerationMode)
def test_requests_made_from_the_document_find_nothing(document, mode):
    for result in document.get_all_operations():
        operation = result.ok()
        if mode.is_negative and not {"parameters", "requestBody"} & set(operation.definition.raw):
            continue  # nothing to get wrong

        @given(case=operation.as_strategy(mode))
        @settings(max_examples=10, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def ask(case):
            case.call_and_validate(headers=HEADERS)

        ask()


def test_every_example_of_the_document_is_answered(app):
    client = TestClient(app, headers=HEADERS)
    for path, methods in app.openapi()["paths"].items():
        body = methods.get("post", {}).get("requestBody")
        if body is None or "application/json" not in body["content"]:
            continue
        name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        examples = app.openapi()["components"]["schemas"][name]["examples"]
        assert examples, name
        for example in examples:
            answer = client.post(path, json=example)
            assert answer.status_code in (200, 404, 422), (path, example)
            assert "body." not in answer.text, (path, example)
