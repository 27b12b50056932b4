"""Pictures by address, for any catalog: fetched politely, checked to be pictures, never fetched twice."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from irisrec.data.collect.hosts import visit
from irisrec.data.collect.http import Clock, FetchError, HttpSettings, Sleep, answer_to, new_client, run
from irisrec.data.collect.journal import Journal
from irisrec.data.collect.picture_file import check_picture, file_name
from irisrec.data.collect.picture_report import PictureReport, key_of, report_on
from irisrec.errors import CollectError, DataError, count_of
from irisrec.files import atomic_path
from irisrec.ids import Id
from irisrec.lock import only_one
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
    at_once: int = Field(default=16, ge=1)
    per_host: int = Field(default=4, ge=1)
    max_bytes: int = Field(default=20_000_000, ge=1)
    max_pixels: int = Field(default=60_000_000, ge=1)
    seconds: float = Field(default=120.0, gt=0)
    host_failures: int = Field(default=10, ge=1)


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
    with only_one(to, "collecting into", CollectError), Journal(to / JOURNAL) as journal:
        collection = _Collection(to, settings, journal, again)
        run(collection.fetch(urls, sleep, clock))
        report = report_on(urls, collection.fetched, journal, notes)
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
        known = self.journal.get(key_of(id))
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
            self.journal.add(key_of(id), {"url": url, "status": "ok", "file": name, **facts})
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
            self.journal.add(key_of(id), {**answer, "passing": failure.passing})
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
