"""One run folder for all tests of the service, and clients of services of it."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from irisrec.serving.app import create_app
from irisrec.serving.service import Service
from tests.serving.postgres import Postgres, why_not
from tests.serving.small import settings_of, write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture
def client_of(run, tmp_path) -> Iterator[Callable[..., TestClient]]:
    """Gives clients of services with settings, each with a history store of its own."""
    with ExitStack() as stack:

        def make(**options) -> TestClient:
            database = options.pop("database", f"sqlite:///{tmp_path / 'history.sqlite3'}")
            settings = settings_of(options.pop("run", run), database=database, **options)
            app = create_app(Service.open(settings))
            return stack.enter_context(
                TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
            )

        yield make


@pytest.fixture
def client(client_of) -> TestClient:
    return client_of()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if reason := why_not():
        pytest.skip(reason)
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    """The URL of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    return request.getfixturevalue("postgres").url(f"t{uuid.uuid4().hex}")
