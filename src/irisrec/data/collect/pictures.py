"""Pictures by address, for any catalog: fetched politely, checked to be pictures, never fetched twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import polars as pl

from irisrec.data.collect.hosts import visit
from irisrec.data.collect.http import Clock, FetchError, HttpSettings, Sleep, answer_to, new_client, run
from irisrec.data.collect.journal import Journal
from irisrec.data.collect.lock import only_one
from irisrec.data.collect.picture_file import check_picture, file_name
from irisrec.errors import CollectError, DataError, count_of
from irisrec.files import atomic_path
from irisrec.ids import Id
from irisrec.notes import Note
from irisrec.progress import Task, progress
from irisrec.settings import Settings

JOURNAL = "pictures.jsonl"


class PictureSettings(Settings):
    """What is fetched, and how gently.

    Attributes:
        http: timeouts, tries, redirects.
        at_once: requests under way at the same time, in all.
        per_host: the same, to one host.
        max_bytes: larger files are refused.
        max_pixels: larger pictures are refused, before they are decoded.
        seconds: longest time for one picture.
        host_failures: after so many failures in a row a host is left alone until the next run.
    """

    http: HttpSettings = HttpSettings(tries=4, read_seconds=20.0, longest_wait=60.0)
    at_once: int = 16
    per_host: int = 4
    max_bytes: int = 20_000_000
    max_pixels: int = 60_000_000
    seconds: float = 120.0
    host_failures: int = 10


@dataclass(frozen=True)
class PictureReport:
    """What became of every item.

    Attributes:
        frame: one row per item: ``item_id``, ``picture`` (path relative to the folder, null where there is none),
            ``url``, ``status`` (fetched, kept or failed), ``kind`` and ``reason`` of a failure.
        notes: counts by kind of failure, and what was odd in the table.
    """

    frame: pl.DataFrame
    notes: tuple[Note, ...]

    @property
    def coverage(self) -> float:
        """Share of the items that have a picture now."""
        return float(self.frame["picture"].is_not_null().mean() or 0.0)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        status = dict(self.frame["status"].value_counts().iter_rows())
        notes = [note.to_json() for note in self.notes]
        return {"items": len(self.frame), "coverage": self.coverage, "status": status, "notes": notes}

    def __str__(self) -> str:
        counts = dict(self.frame["status"].value_counts().iter_rows())
        have = count_of(counts.get("fetched", 0) + counts.get("kept", 0), "item")
        return (
            f"{have} of {len(self.frame):,} with a picture ({self.coverage:.1%}): "
            f"{counts.get('fetched', 0):,} fetched now, {counts.get('kept', 0):,} were here, "
            f"{counts.get('failed', 0):,} failed"
        )


def collect_pictures(
    wanted: Sequence[tuple[Id, str | None]],
    to: Path,
    settings: PictureSettings | None = None,
    *,
    again: bool = False,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.monotonic,
) -> PictureReport:
    """Fetch the picture of each (id, url) into ``to``, named by the quoted id and the format found in the file.

    Whatever was answered is kept in a journal in the folder: pictures that are here and addresses that definitely
    have none are not asked for again (``again`` asks for the latter once more). An address that several items share
    is asked for once. ``pictures.csv`` in the folder tells what became of every item.
    """
    to = Path(to)
    settings = settings or PictureSettings()
    urls, notes = _distinct(wanted)
    with only_one(to), Journal(to / JOURNAL) as journal:
        collection = _Collection(to, settings, journal, again)
        run(collection.fetch(urls, sleep, clock))
        report = _report(urls, collection.fetched, journal, notes)
    with atomic_path(to / "pictures.csv") as temporary:
        report.frame.write_csv(temporary)
    return report


class _Collection:
    """The pictures of one run, under way."""

    def __init__(self, to: Path, settings: PictureSettings, journal: Journal, again: bool) -> None:
        self.to, self.settings, self.journal, self.again = to, settings, journal, again
        self._ids: defaultdict[str, list[Id]] = defaultdict(list)
        self.fetched: set[Id] = set()
        self._task: Task | None = None

    async def fetch(self, urls: dict[Id, str], sleep: Sleep, clock: Clock) -> None:
        """Fetch what is not here; what was not asked in this run keeps its old answer."""
        for id, url in urls.items():
            if url and self._is_open(id, url):
                self._ids[url].append(id)
        ready = [url for url in self._ids if self._check_address(url)]
        settings = self.settings
        with progress("pictures", len(ready)) as self._task:
            async with new_client(settings.http, settings.at_once) as self._client:
                await visit(
                    ready,
                    self._fetch_one,
                    self._give_up,
                    http=settings.http,
                    at_once=settings.at_once,
                    per_host=settings.per_host,
                    host_failures=settings.host_failures,
                    sleep=sleep,
                    clock=clock,
                )

    def _is_open(self, id: Id, url: str) -> bool:
        known = self.journal.get(_key(id))
        if known is None or known["url"] != url:
            return True
        if known["status"] == "ok":
            return not (self.to / known["file"]).is_file()
        return bool(known["passing"] or self.again)

    def _check_address(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            fine = False
        if not fine:
            reason = "not an address of the form http:// or https://"
            self._give_up(url, FetchError("bad_address", reason, passing=False))
        return fine

    async def _fetch_one(self, url: str) -> None:
        try:
            async with asyncio.timeout(self.settings.seconds):
                data, media_type = await _read(self._client, url, self.settings)
        except TimeoutError:
            sentence = f"not there after {self.settings.seconds:g} seconds"
            raise FetchError("timeout", sentence, passing=True) from None
        facts = await asyncio.to_thread(check_picture, data, media_type, self.settings.max_pixels)
        for id in self._ids[url]:
            name = file_name(id, facts["format"])
            self._write(name, data)
            self.journal.add(_key(id), {"url": url, "status": "ok", "file": name, **facts})
            self.fetched.add(id)
        self._advance()

    def _write(self, name: str, data: bytes) -> None:
        try:
            with atomic_path(self.to / name) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise CollectError(f"{self.to / name} could not be written: {error.strerror or error}") from None

    def _give_up(self, url: str, failure: FetchError) -> None:
        answer = {"url": url, "status": "failed", "kind": failure.kind, "reason": str(failure)}
        for id in self._ids[url]:
            self.journal.add(_key(id), {**answer, "passing": failure.passing})
        self._advance()

    def _advance(self) -> None:
        if self._task is not None:
            self._task.advance()


async def _read(client: httpx.AsyncClient, url: str, settings: PictureSettings) -> tuple[bytes, str]:
    """Read one answer whole, up to the size limit."""
    async with answer_to(client, url, settings.http, {"Accept": "image/*"}) as response:
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        length = response.headers.get("Content-Length", "")
        data = bytearray()
        _check_size(int(length) if length.isdigit() else 0, settings.max_bytes)
        async for piece in response.aiter_bytes():
            data += piece
            _check_size(len(data), settings.max_bytes)
    return bytes(data), media_type


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise FetchError("too_large", f"more than {limit:,} bytes", passing=False)


def _distinct(wanted: Sequence[tuple[Id, str | None]]) -> tuple[dict[Id, str], list[Note]]:
    """One address per id; an item without any has an empty one."""
    if not wanted:
        raise DataError("there are no pictures to collect: the table is empty")
    urls: dict[Id, str] = {}
    repeated = []
    for id, url in wanted:
        if id is None:
            raise DataError("item ids must not be null; fill or drop those rows first")
        if id in urls:
            repeated.append(id)
        else:
            urls[id] = (url or "").strip()
    notes = []
    if repeated:
        sentence = f"{count_of(len(repeated), 'row')} with an id that stands above already left out"
        notes.append(Note.of("repeated_ids", len(repeated), sentence, repeated))
    return urls, notes


def _report(urls: dict[Id, str], fetched: set[Id], journal: Journal, notes: list[Note]) -> PictureReport:
    rows = []
    for id, url in urls.items():
        known = journal.get(_key(id)) or {"status": "failed", "kind": "not_asked", "reason": "not asked yet"}
        fine = known["status"] == "ok"
        rows.append(
            {
                "item_id": id,
                "picture": known["file"] if fine else None,
                "url": url or None,
                "status": ("fetched" if id in fetched else "kept") if fine else "failed",
                "kind": None if fine else known["kind"] if url else "no_address",
                "reason": None if fine else known["reason"] if url else "the table has no address",
            }
        )
    strings = dict.fromkeys(("picture", "url", "status", "kind", "reason"), pl.String)
    frame = pl.DataFrame(rows, schema_overrides=strings, strict=False)
    kinds = Counter(frame["kind"].drop_nulls())
    for kind, count in kinds.most_common():
        examples = frame.filter(pl.col("kind") == kind)["item_id"].head(3).to_list()
        sentence = f"{count_of(count, 'item')} without a picture: {kind.replace('_', ' ')}"
        notes.append(Note.of(f"picture_{kind}", count, sentence, examples, warning=True))
    return PictureReport(frame, tuple(notes))


def _key(id: Id) -> str:
    return f"{'i' if isinstance(id, int) else 's'}:{id}"
