"""How many lists a service gives and how long they take: irisrec beside implicit with FastAPI and Cornac's own service.

All know the same run's interactions, listen on loopback, and get requests from the same client, one service after the
other; the client runs on the same cores. Latencies count from the moment a request was due, so that a service that
falls behind cannot hide it. irisrec and implicit are asked for people with a history that they have not seen, and for
three reasons of each item; Cornac's service takes the ids of known users alone and gives no reasons, so irisrec is
asked for that, too.

    .venv/bin/python benchmarks/serving.py runs/movielens
    .venv/bin/python benchmarks/serving.py runs/shop --soak 36000     is memory bounded? reads, writes and new items
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from load import at_most, at_rate, free_port, processor_seconds, request_of, resident, service

HERE = Path(__file__).parent
ALONE = "irisrec, one by one"  # requests that wait are not computed together
KNOWN = "irisrec, as cornac"  # lists of known users, without reasons
NAMES = ("irisrec", ALONE, "implicit", KNOWN, "cornac")


@dataclass(frozen=True)
class Service:
    """How a service is started, and what it is asked."""

    command: list[str]
    port: int
    environment: Mapping[str, str]
    requests: list[bytes]


def irisrec(run: Path, folder: Path, requests: list[bytes], together: int = 32) -> Service:
    """Return irisrec's service of a run, its store in a folder."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("irisrec")), "serve", str(run), "--port", str(port)]
    command += ["--database", f"sqlite:///{folder}/history.sqlite3"]
    limits = {"IRISREC_SERVE_LIMITS__TOGETHER": str(together), "IRISREC_SERVE_RATE__PER_SECOND": "0"}
    return Service(command, port, limits, requests)


def implicit(run: Path, requests: list[bytes]) -> Service:
    """Return the service that a person would write around implicit."""
    port = free_port()
    return Service(
        [sys.executable, str(HERE / "serving_implicit.py"), str(run), str(port)], port, {}, requests
    )


def cornac(run: Path, folder: Path, limit: float) -> Service:
    """Fit Cornac's BPR of as many factors, in its own environment, and return its service as its README starts it."""
    from peers.environments import python_of

    from irisrec.files import cache_folder

    python = python_of("cornac-serving", cache_folder(), limit)
    pairs = pl.read_parquet(run / "interactions.parquet", columns=["user_id", "item_id"])
    pairs.cast(pl.String).write_csv(folder / "pairs.csv", include_header=False)
    fit = [str(python), str(HERE / "peers" / "fit_cornac.py"), str(folder / "pairs.csv"), str(folder)]
    model = subprocess.run(fit, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    environment = {
        "FLASK_APP": "cornac.serving.app",
        "MODEL_PATH": model,
        "MODEL_CLASS": "cornac.models.BPR",
        "PYTHONPATH": "",
    }
    users = (
        pairs["user_id"]
        .cast(pl.String)
        .unique(maintain_order=True)
        .sample(2000, seed=0, with_replacement=True)
    )
    requests = [request_of("GET", f"/recommend?uid={user}&k=10&remove_seen=true") for user in users]
    port = free_port()
    command = [str(python), "-m", "flask", "run", "--host", "127.0.0.1", "--port", str(port)]
    return Service(command, port, environment, requests)


def known_users(run: Path, n: int) -> list[int | str]:
    """Draw known users."""
    users = pl.read_parquet(run / "users.parquet")["user_id"]
    return users.sample(n, seed=0, with_replacement=True).to_list()


def requests_of(run: Path, length: int, n: int) -> list[bytes]:
    """Draw histories of known users, ``length`` items of each, ten items and three reasons wanted."""
    pairs = (
        pl.read_parquet(run / "interactions.parquet").group_by("user_id", maintain_order=True).agg("item_id")
    )
    histories = [items for items in pairs["item_id"].to_list() if len(items) >= length]
    if not histories:
        raise SystemExit(f"no user of {run} had {length} items; ask for shorter histories: --history")
    rng = np.random.default_rng(0)
    bodies = []
    for _ in range(n):
        items = histories[rng.integers(len(histories))]
        picked = [items[place] for place in rng.choice(len(items), length, replace=False)]
        bodies.append(json.dumps({"history": picked, "k": 10, "reasons": 3}).encode())
    return [request_of("POST", "/recommend", body) for body in bodies]


def measure(served: Service, wanted: argparse.Namespace) -> dict[str, float]:
    """Return what one service gives, and what it takes."""
    port, requests = served.port, served.requests
    with service(served.command, port, served.environment) as pid:
        asyncio.run(at_most(port, requests, 4, 2.0))  # warm
        seconds = asyncio.run(at_rate(port, requests, wanted.rate, wanted.seconds))
        worked = processor_seconds(pid)
        throughput = asyncio.run(at_most(port, requests, wanted.clients, wanted.seconds))
        worked = processor_seconds(pid) - worked
        return {
            "per_second": throughput,
            "processor_ms": worked / (throughput * wanted.seconds) * 1000,
            "p50_ms": float(np.quantile(seconds, 0.5) * 1000),
            "p99_ms": float(np.quantile(seconds, 0.99) * 1000),
            "max_ms": float(seconds.max() * 1000),
            "mb": resident(pid),
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
    parser.add_argument(
        "--soak", type=int, help="instead: so many requests of all kinds to irisrec, for memory"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds for each step of installing a peer")
    parser.add_argument("--only", choices=NAMES)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.soak:
            import soak

            raise SystemExit(
                soak.main(wanted.run, irisrec(wanted.run, folder, []), wanted.soak, wanted.clients)
            )
        requests = requests_of(wanted.run, wanted.history, 2000)
        known = [
            request_of("POST", "/recommend", json.dumps({"user_id": user, "k": 10, "reasons": 0}).encode())
            for user in known_users(wanted.run, 2000)
        ]
        services = {
            "irisrec": lambda: irisrec(wanted.run, folder, requests),
            ALONE: lambda: irisrec(wanted.run, folder, requests, together=1),
            "implicit": lambda: implicit(wanted.run, requests),
            KNOWN: lambda: irisrec(wanted.run, folder, known),
            "cornac": lambda: cornac(wanted.run, folder, wanted.limit),
        }
        print(
            f"{wanted.run}: histories of {wanted.history}, k = 10, 3 reasons; client on the same {os.cpu_count()} cores"
        )
        print(f"latencies at {wanted.rate:g} requests per second, throughput with {wanted.clients} clients, "
              f"{wanted.seconds:g} s each\n")  # fmt: skip
        print(f"{'':24}{'per second':>12}{'CPU ms each':>13}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'MB':>8}")
        for each, make in services.items():
            if wanted.only in (None, each):
                found = measure(make(), wanted)
                print(
                    f"{each:24}{found['per_second']:12.1f}{found['processor_ms']:13.1f}{found['p50_ms']:9.1f}"
                    f"{found['p99_ms']:9.1f}{found['max_ms']:9.1f}{found['mb']:8.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
