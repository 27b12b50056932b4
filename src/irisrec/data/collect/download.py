"""``irisrec download``: a published data set, complete and checked, with a record of where it came from."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from irisrec.data.collect.archive import check_gzip, check_zip, gunzip, unzip
from irisrec.data.collect.fetch import Advance, discard, fetch, fetch_text, finish
from irisrec.data.collect.http import FetchError, HttpSettings, Sleep, new_client, run, with_tries
from irisrec.data.collect.published import PublishedDataset, PublishedFile, find
from irisrec.errors import CollectError
from irisrec.files import read_json, write_json
from irisrec.lock import only_one
from irisrec.progress import progress, say

RECORD = "SOURCE.json"
MB = 1_000_000


def download(
    name: str,
    to: Path,
    *,
    image_features: bool = False,
    unpack: bool = False,
    base_url: str | None = None,
    http: HttpSettings | None = None,
    sleep: Sleep = asyncio.sleep,
) -> list[Path]:
    """Fetch a published data set into a folder and return the paths of its files.

    The terms are said first and written to ``SOURCE.json`` with the address, size, checksum and time of every file.
    Files that the record knows and that have their size are not fetched again. Zip archives are unpacked; gzip files
    stay packed, as the readers take them, unless ``unpack`` is set.

    Raises:
        CollectError: the files could not be had, or are not what their publisher says; run again to continue.
    """
    dataset = find(name, image_features=image_features, base_url=base_url)
    to = Path(to)
    say(dataset.terms)
    with only_one(to, "collecting into", CollectError):
        return run(_download(dataset, to, unpack, http or HttpSettings(), sleep))


async def _download(
    dataset: PublishedDataset, to: Path, unpack: bool, http: HttpSettings, sleep: Sleep
) -> list[Path]:
    record = _read_record(to) | {"dataset": dataset.name, "terms": dataset.terms}
    files: dict[str, Any] = record.setdefault("files", {})
    written: list[Path] = []
    async with new_client(http) as client:
        for file in dataset.files:
            path = to / file.name
            known = files.get(file.name)
            if known and path.exists() and path.stat().st_size == known["bytes"]:
                say(f"{file.name} is here already")
            else:
                files[file.name] = await _one(client, file, path, http, sleep)
                write_json(to / RECORD, record)
                say(f"{file.name}: {files[file.name]['bytes'] / MB:,.1f} MB fetched and checked")
            written += _unpacked(path, to, unpack)
    return written


async def _one(
    client: httpx.AsyncClient, file: PublishedFile, path: Path, http: HttpSettings, sleep: Sleep
) -> dict[str, Any]:
    """Fetch one file from the first address that has it."""
    failures = []
    for url in file.addresses:
        say(f"fetching {url}")
        try:
            return await _checked(client, url, file.md5, path, http, sleep)
        except FetchError as failure:
            failures.append(str(failure))
    kept = path.with_name(path.name + ".part")
    way_out = "; what came so far is kept, run the same command to go on" if kept.exists() else ""
    raise CollectError(f"{file.name} could not be fetched: {'; '.join(failures)}{way_out}")


async def _checked(
    client: httpx.AsyncClient, url: str, md5: bool, path: Path, http: HttpSettings, sleep: Sleep
) -> dict[str, Any]:
    """Fetch from one address and check; what fails the check is thrown away and fetched once more."""
    expected = await _published_md5(client, url, http, sleep) if md5 else None
    for last in (False, True):
        with _shown(path.name) as advance:
            entry = await fetch(client, url, path, http, advance=advance, sleep=sleep)
        fault = _fault(path.with_name(path.name + ".part"), expected)
        if fault is None:
            break
        discard(path)
        if last:
            raise FetchError("checksum", f"{url} came twice with {fault}", passing=False)
    finish(path)
    digests = _digests(path)
    how = "md5 published beside the file" if expected else "length and own checksum of the archive"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return entry | digests | {"checked": how, "fetched": now}


async def _published_md5(client: httpx.AsyncClient, url: str, http: HttpSettings, sleep: Sleep) -> str | None:
    try:
        text = await with_tries(lambda: fetch_text(client, url + ".md5", http), http, sleep)
    except FetchError as failure:
        if failure.passing:
            raise
        say(f"no checksum is published at {url}.md5 ({failure}); the archive's own is checked instead")
        return None
    match = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    if match is None:
        raise FetchError("checksum", f"{url}.md5 holds no MD5 checksum", passing=False)
    return match[0].lower()


def _fault(path: Path, expected_md5: str | None) -> str | None:
    if expected_md5 and (got := _digests(path)["md5"]) != expected_md5:
        return f"checksum {got} where {expected_md5} is published"
    try:
        if path.name.endswith(".gz.part"):
            check_gzip(path)
        elif path.name.endswith(".zip.part"):
            check_zip(path)
    except CollectError:
        return "an archive that is damaged"
    return None


def _digests(path: Path) -> dict[str, str]:
    md5, sha = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(MB):
            md5.update(piece)
            sha.update(piece)
    return {"md5": md5.hexdigest(), "sha256": sha.hexdigest()}


def _unpacked(path: Path, to: Path, unpack: bool) -> list[Path]:
    if path.suffix == ".zip":
        return unzip(path, to)
    if path.suffix == ".gz" and unpack:
        return [gunzip(path, path.with_suffix(""))]
    return [path]


def _read_record(to: Path) -> dict[str, Any]:
    try:
        record = read_json(to / RECORD)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


@contextmanager
def _shown(name: str) -> Iterator[Advance]:
    """Show megabytes; the bar is opened with the first piece, when the length is known."""
    with progress(f"{name} (MB)", None) as task:
        shown = 0

        def advance(done: int, total: int | None) -> None:
            nonlocal shown
            if (now := done // MB) != shown:
                status = f"of {total / MB:,.1f} MB" if total else ""
                task.advance(now - shown, status)
                shown = now

        yield advance
