"""Whether a service needs more memory the longer it runs: all kinds of requests, and what is resident at each tenth."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from load import Connection, request_of, resident, service

from irisrec.recommendation.recommender import Recommender

GROWTH = 1.05  # from the second to fourth tenth, after warming up, to the last three, at most
_USERS = 200  # that send events; each is forgotten now and then
_NEW_ITEMS = 30  # in all; each is one row more in every table, and is meant to stay
_OKAY = (b"200", b"201")


class Requests:
    """Draws requests: lists, reasons, pages, events, people to forget, new items."""

    def __init__(self, run: Path, n: int) -> None:
        self._rng = np.random.default_rng(0)
        self._recommender = Recommender.load(run)
        self._ids = self._recommender.items.series.to_list()
        self._users = self._recommender.known.ids.series.to_list() if self._recommender.known else []
        self._is_number = not isinstance(self._users[0], str)
        self._has_pictures = self._recommender.catalog.frame["picture"].drop_nulls().len() > 0
        grows = getattr(self._recommender.model, "takes_new_items", False)
        self._items = set(np.linspace(0, n - 1, _NEW_ITEMS).astype(int).tolist()) if grows else set()
        self.n_new = len(self._items)
        self._n = n

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for number in range(self._n):
            if number in self._items:
                yield "new item", self._new_item(number)
            else:
                yield self._other(number)

    def _other(self, number: int) -> tuple[str, bytes]:
        kind = self._rng.random()
        if kind < 0.55:
            return "list", _post("/recommend", {"history": self._some(10), "k": 10, "reasons": 2})
        if kind < 0.65:
            return "list of a user", _post("/recommend", {"user_id": self._user(), "k": 10, "reasons": 0})
        if kind < 0.80:
            events = [{"event_id": f"e{number}", "user_id": self._sender(), "item_id": self._some(1)[0]}]
            return "event", _post("/interactions", {"events": events})
        if kind < 0.84:
            return "explanation", _post("/explain", {"history": self._some(10), "item_id": self._some(1)[0]})
        if kind < 0.88:
            denied = {"history": self._some(5), "rules": {"deny": self._some(2)}, "reasons": 0}
            return "list with rules", _post("/recommend", denied)
        if kind < 0.91:
            return "like items", request_of("GET", f"/similar/{self._some(1)[0]}?k=5")
        if kind < 0.94 and self._has_pictures:
            size = self._rng.choice([96, 200, 400])
            return "picture", request_of("GET", f"/pictures/{self._pictured()}?size={size}")
        if kind < 0.96:
            off = self._rng.choice(["", *(f"&off={name}" for name in self._recommender.model.content_masks)])
            return "page", request_of("GET", f"/?user={self._user()}{off}")
        if kind < 0.98:
            return "history", request_of("GET", f"/users/{self._user()}/history")
        return "forgotten", request_of("DELETE", f"/users/{self._sender()}")

    def _some(self, n: int) -> list[Any]:
        return [self._ids[place] for place in self._rng.integers(len(self._ids), size=n)]

    def _pictured(self) -> Any:
        frame = self._recommender.catalog.frame.filter(pl.col("picture").is_not_null())
        return frame["item_id"][int(self._rng.integers(len(frame)))]

    def _user(self) -> Any:
        return self._users[self._rng.integers(len(self._users))]

    def _sender(self) -> Any:
        number = int(self._rng.integers(_USERS))
        return 10**12 + number if self._is_number else f"soak-{number}"

    def _new_item(self, number: int) -> bytes:
        from PIL import Image

        picture = io.BytesIO()
        noise = self._rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
        Image.fromarray(noise).save(picture, "PNG")
        id = 10**12 + number if not isinstance(self._ids[0], str) else f"soak-{number}"
        readers = {encoder.input for encoder in self._recommender.encoders.values()}
        fields = {"item_id": str(id), "title": f"Soak {number}"}
        if "text" in readers:
            fields["text"] = f"Item number {number} of the soak."
        parts = [
            f'--soak\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        if "picture" in readers:
            head = '--soak\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n'
            parts.append(f"{head}Content-Type: image/png\r\n\r\n".encode() + picture.getvalue() + b"\r\n")
        return request_of(
            "POST", "/items", b"".join(parts) + b"--soak--\r\n", "multipart/form-data; boundary=soak"
        )


def _post(path: str, body: dict[str, Any]) -> bytes:
    return request_of("POST", path, json.dumps(body).encode())


async def ask_all(port: int, requests: Requests, n: int, clients: int, pid: int) -> list[float]:
    """Send all requests, ``clients`` at a time; return what is resident after each tenth, in MB."""
    waiting, counts, found, answered = iter(requests), dict[str, int](), list[float](), 0

    async def one() -> None:
        nonlocal answered
        connection = Connection(port)
        for kind, request in waiting:
            await connection.ask(request, _OKAY)
            counts[kind] = counts.get(kind, 0) + 1
            answered += 1
            if answered * 10 // n > len(found):
                found.append(resident(pid))
                print(f"{answered:10,}{found[-1]:10.0f} MB", flush=True)

    await asyncio.gather(*(one() for _ in range(clients)))
    print(", ".join(f"{count:,} of {kind}" for kind, count in sorted(counts.items())))
    return found


def main(run: Path, served: Any, n: int, clients: int) -> int:
    """Soak a service; return 1 where it has grown since it was warm."""
    requests = Requests(run, n)
    print(f"{run}: {n:,} requests of {clients} clients, {requests.n_new} new items among them")
    with service(served.command, served.port, served.environment) as pid:
        found = asyncio.run(ask_all(served.port, requests, n, clients, pid))
    before, after = (sum(part) / 3 for part in (found[1:4], found[-3:]))
    print(f"on average {before:.0f} MB in the second to fourth tenth, {after:.0f} MB in the last three")
    if after > GROWTH * before:
        print(f"that is more than {GROWTH - 1:.0%} growth", file=sys.stderr)
        return 1
    return 0
