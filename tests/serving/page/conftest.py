"""The built-in shop, trained small, served to a real browser."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.run import train
from irisrec.serving.app import create_app
from irisrec.serving.service import Service
from tests.serving.small import settings_of

ROOT = Path(__file__).parents[3]
CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = ROOT / "build" / "screenshots"
SMALL = [
    "data.shop.n_users=120",
    "data.shop.n_items=60",
    "training.epochs=2",
    "model.dim=16",
    "model.hidden=16",
]


@pytest.fixture(scope="session")
def shop_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISREC_CACHE", str(folder / "cache"))
        config = ExperimentConfig.load(ROOT / "configs/shop.toml", [f"data.root={folder / 'data'}", *SMALL])
        train(config, folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def address(shop_run, tmp_path_factory) -> Iterator[str]:
    """Where the shop is served."""
    database = f"sqlite:///{tmp_path_factory.mktemp('store') / 'history.sqlite3'}"
    service = Service.open(settings_of(shop_run, database=database, verb="bought", limits={"seconds": 60}))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(service), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM} (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        # --no-sandbox: CI runs as root, where Chromium has no sandbox of its own
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console complained of, and requests that left the machine; a test fails where some are left."""
    return []


@pytest.fixture
def tab(browser, address, complaints):
    """A page of the browser."""
    context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    tab.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:")) else complaints.append(asked.url),
    )
    yield tab
    context.close()
    assert not complaints
