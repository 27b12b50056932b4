"""What measures of a service need: the service as a process, a client that takes little, and what the process took."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np


class Connection:
    """One kept-alive HTTP connection, as bare as it can be: the client must not be what is measured."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes, accepted: tuple[bytes, ...] = (b"200",)) -> bytes:
        """Send a request and return the body of the answer; opened again where the service closes after each."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1]
        body = await self.reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        if head.startswith(b"http/1.0") or b"connection: close" in head:
            self.writer.close()
            self.writer = None
        if status not in accepted:
            raise RuntimeError(f"{status.decode()}: {body[:300].decode()}")
        return body


def request_of(method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """Return an HTTP request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


async def at_rate(port: int, requests: Sequence[bytes], per_second: float, seconds: float) -> np.ndarray:
    """Send requests when they are due, whatever became of earlier ones; return seconds from due to answered."""
    free: list[Connection] = []
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def one(number: int) -> float:
        due = start + number / per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        connection = free.pop() if free else Connection(port)
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
        connection = Connection(port)
        while time.perf_counter() < stop:
            await connection.ask(requests[(number + answered) % len(requests)])
            answered += 1

    await asyncio.gather(*(one(number) for number in range(clients)))
    return answered / seconds


@contextmanager
def service(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Start a service with further variables of the environment, one core for each of its threads; wait until it
    answers, and give its process id.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **environment},
    ) as process:
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
