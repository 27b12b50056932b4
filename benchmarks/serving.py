"""How many lists a service gives and how long they take: irisrec beside a bare implicit + FastAPI service.

Both read the same run folder, listen on loopback, and get the same requests from the same client, one after the
other; the client runs on the same cores. Latencies count from the moment a request was due, so that a service that
falls behind cannot hide it.

    .venv/bin/python benchmarks/serving.py runs/movielens
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

ALONE = "irisrec, one by one"  # requests that wait are not computed together
NAMES = ("irisrec", ALONE, "implicit")


class Connection:
    """One kept-alive HTTP connection, as bare as it can be: the client must not be what is measured."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def ask(self, request: bytes) -> bytes:
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await self.reader.readexactly(length)
        if status != b"200":
            raise RuntimeError(f"{status.decode()}: {body[:300].decode()}")
        return body


def requests_of(run: Path, length: int, n: int) -> list[bytes]:
    """Draw histories of known users, ``length`` items of each, ten items and three reasons wanted."""
    pairs = (
        pl.read_parquet(run / "interactions.parquet").group_by("user_id", maintain_order=True).agg("item_id")
    )
    histories = [items for items in pairs["item_id"].to_list() if len(items) >= length]
    rng = np.random.default_rng(0)
    bodies = []
    for _ in range(n):
        items = histories[rng.integers(len(histories))]
        picked = [items[place] for place in rng.choice(len(items), length, replace=False)]
        bodies.append(json.dumps({"history": picked, "k": 10, "reasons": 3}).encode())
    head = "POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    return [head.format(len(body)).encode() + body for body in bodies]


async def at_rate(port: int, requests: Sequence[bytes], per_second: float, seconds: float) -> np.ndarray:
    """Send requests when they are due, whatever became of earlier ones; return seconds from due to answered."""
    free: list[Connection] = []
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def one(number: int) -> float:
        due = start + number / per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        connection = free.pop() if free else await Connection(port).open()
        await connection.ask(requests[number % len(requests)])
        free.append(connection)
        return loop.time() - due

    return np.array(await asyncio.gather(*(one(number) for number in range(int(per_second * seconds)))))


async def at_most(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> float:
    """Let clients ask again as soon as they are answered; return answers per second."""
    stop = time.perf_counter() + seconds
    answered = 0

    async def one(number: int) -> None:
        nonlocal answered
        connection = await Connection(port).open()
        while time.perf_counter() < stop:
            await connection.ask(requests[(number + answered) % len(requests)])
            answered += 1

    await asyncio.gather(*(one(number) for number in range(clients)))
    return answered / seconds


@contextmanager
def service(command: list[str], port: int, together: int) -> Iterator[int]:
    """Start a service and wait until it answers."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(together)
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def environment(together: int) -> dict[str, str]:
    return {
        **os.environ,
        "IRISREC_SERVE_LIMITS__TOGETHER": str(together),
        "IRISREC_SERVE_RATE__PER_SECOND": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def resident(pid: int) -> float:
    """Return the megabytes that a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process, which counts work whether or not other programs slow the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def measure(
    command: list[str], port: int, requests: list[bytes], wanted: argparse.Namespace, together: int
) -> dict[str, float]:
    with service(command, port, together) as pid:
        asyncio.run(at_most(port, requests, 4, 2.0))  # warm
        seconds = asyncio.run(at_rate(port, requests, wanted.rate, wanted.seconds))
        worked = processor_seconds(pid)
        throughput = asyncio.run(at_most(port, requests, wanted.clients, wanted.seconds))
        worked = processor_seconds(pid) - worked
        before = resident(pid)
        if wanted.soak:
            asyncio.run(at_most(port, requests, wanted.clients, wanted.soak))
        return {
            "per_second": throughput,
            "processor_ms": worked / (throughput * wanted.seconds) * 1000,
            "p50_ms": float(np.quantile(seconds, 0.5) * 1000),
            "p99_ms": float(np.quantile(seconds, 0.99) * 1000),
            "max_ms": float(seconds.max() * 1000),
            "mb": before,
            "mb_after_soak": resident(pid),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--rate", type=float, default=100, help="requests per second for the latencies")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--clients", type=int, default=16, help="that ask without pause for the throughput")
    parser.add_argument("--history", type=int, default=50, help="items of a history")
    parser.add_argument("--soak", type=float, default=0, help="further seconds under full load, for memory")
    parser.add_argument("--only", choices=NAMES)
    wanted = parser.parse_args()
    requests = requests_of(wanted.run, wanted.history, 2000)
    print(
        f"{wanted.run}: histories of {wanted.history}, k = 10, 3 reasons; client on the same {os.cpu_count()} cores"
    )
    print(f"latencies at {wanted.rate:g} requests per second, throughput with {wanted.clients} clients, "
          f"{wanted.seconds:g} s each\n")  # fmt: skip
    print(
        f"{'':24}{'per second':>12}{'CPU ms each':>13}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'MB':>8}{'MB after':>10}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            if wanted.only not in (None, name):
                continue
            port = free_port()
            if name != "implicit":
                database = f"sqlite:///{folder}/history.sqlite3"
                command = [str(Path(sys.executable).with_name("irisrec")), "serve", str(wanted.run)]
                command += ["--port", str(port), "--database", database]
            else:
                peer = Path(__file__).with_name("serving_implicit.py")
                command = [sys.executable, str(peer), str(wanted.run), str(port)]
            found = measure(command, port, requests, wanted, 1 if name == ALONE else 32)
            print(
                f"{name:24}{found['per_second']:12.1f}{found['processor_ms']:13.1f}{found['p50_ms']:9.1f}{found['p99_ms']:9.1f}"
                f"{found['max_ms']:9.1f}{found['mb']:8.0f}{found['mb_after_soak']:10.0f}"
            )


if __name__ == "__main__":
    main()
