"""A real process: killed, told to reload, to stop, and teased by slow clients."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from irisrec.serving.store.history import HistoryStore
from tests.serving.small import write_run

LIST = {"history": ["i03", "i07"], "k": 3}


class Running:
    """A served process and a way to ask it."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def wait(self) -> None:
        for _ in range(600):
            assert self.process.poll() is None, "the service ended at its start"
            try:
                return self.ask("GET", "/ready") and None
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the service did not start within 30 s")


@contextmanager
def serving(run: Path, database: Path, **environment: str):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    log = (database.parent / "log").open("ab")
    options = {f"IRISREC_SERVE_{name.upper()}": value for name, value in environment.items()}
    command = [sys.executable, "-c", "from irisrec.cli.main import main; main()", "serve", str(run)]
    command += ["--port", str(port), "--database", f"sqlite:///{database}"]
    process = subprocess.Popen(command, stderr=log, env={**os.environ, **options, "OMP_NUM_THREADS": "1"})
    running = Running(process, port)
    try:
        running.wait()
        yield running
    finally:
        process.kill()
        process.wait(10)
        log.close()


def write_events(running: Running, writer: int, acknowledged: list[str], stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        ids = [f"e{writer}-{number}-{part}" for part in range(3)]
        events = [{"event_id": id, "user_id": f"w{writer}", "item_id": "i04"} for id in ids]
        try:
            status, _ = running.ask("POST", "/interactions", {"events": events})
        except (OSError, http.client.HTTPException, ValueError):
            return
        if status == 200:
            acknowledged.extend(ids)
        number += 1


@pytest.fixture(scope="module")
def killed(run, tmp_path_factory) -> tuple[Path, list[str]]:
    """The store of a service that was killed while four clients wrote, and what it had acknowledged."""
    database = tmp_path_factory.mktemp("killed") / "history.sqlite3"
    acknowledged: list[str] = []
    stop = threading.Event()
    with serving(run, database) as running:
        threads = [
            threading.Thread(target=write_events, args=(running, n, acknowledged, stop)) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 60:
            time.sleep(0.01)
        os.kill(running.process.pid, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
    return database, acknowledged


def test_what_was_acknowledged_survives_kill_9(killed):
    database, acknowledged = killed
    store = HistoryStore(f"sqlite:///{database}", "string", "string")
    kept = {event.event_id for n in range(4) for event in store.past(f"w{n}", 100_000).events}
    store.close()
    assert len(acknowledged) >= 60
    assert set(acknowledged) <= kept
    assert len(kept) % 3 == 0  # each request whole or not at all


@pytest.fixture
def linked(tmp_path) -> Path:
    write_run(tmp_path / "old" / "run")
    write_run(tmp_path / "new" / "run", seed=9)
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "old" / "run")
    return link


def test_reloads_fail_no_request_slow_clients_are_dropped_and_the_end_drains(linked, tmp_path, killed):
    database, acknowledged = killed
    limits = {"limits__header_seconds": "1.0", "limits__body_seconds": "1.0"}
    with serving(linked, database, **limits) as running:
        assert running.ask("GET", f"/users/w{acknowledged[0][1]}/history")[0] == 200
        slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(30)]
        for number, connection in enumerate(slow):
            request = "POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n"
            connection.sendall((request if number % 2 else request + "\r\n{").encode())
        answers, stop = [], threading.Event()

        def ask() -> None:
            while not stop.is_set():
                answers.append(running.ask("POST", "/recommend", LIST))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        linked.unlink()
        linked.symlink_to(tmp_path / "new" / "run")
        running.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while running.ask("GET", "/ready")[1]["generation"] < 2:
            assert time.monotonic() < deadline, "the run was not reloaded"
        (tmp_path / "new" / "run" / "model.safetensors").write_bytes(b"damaged")
        running.process.send_signal(signal.SIGHUP)
        for _ in range(3):
            status, _ = running.ask("POST", "/admin/reload", {})
            assert status in (409, 422)  # 409 where the one of the signal goes on
        for connection in slow:
            connection.settimeout(10)
            assert connection.recv(1000) == b""  # closed, without an answer
            connection.close()
        stop.set()
        for thread in threads:
            thread.join()
        assert {status for status, _ in answers} == {200}
        assert len({json.dumps(answer) for _, answer in answers}) == 2  # of the old run and of the new one
        body = json.dumps(LIST).encode()
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as begun:
            head = f"POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            begun.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body[:5])
            time.sleep(0.2)
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            begun.sendall(body[5:])
            assert begun.recv(100).startswith(b"HTTP/1.1 200 ")
        assert running.process.wait(20) == -signal.SIGTERM  # Uvicorn ends by the signal when all is done
    assert "Application shutdown complete" in (database.parent / "log").read_text(encoding="utf-8")
