"""One large file: resumed where it broke off, whole or not there under its final name."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from irisrec.data.collect.http import FetchError, HttpSettings, Sleep, answer_to, wait_before
from irisrec.errors import CollectError
from irisrec.files import read_json, write_json

Advance = Callable[[int, int | None], None]
"""Told after each piece: bytes on disk, bytes in all where known."""


@dataclass(frozen=True)
class Part:
    """What is on disk of an unfinished file, and how to recognise the same file at the server.

    Attributes:
        url: the address it came from.
        validator: a strong ETag or a Last-Modified date; None where the server gives neither.
        total: bytes of the whole file, where known.
    """

    url: str
    validator: str | None
    total: int | None


async def fetch(
    client: httpx.AsyncClient,
    url: str,
    path: Path,
    settings: HttpSettings,
    *,
    advance: Advance = lambda done, total: None,
    sleep: Sleep = asyncio.sleep,
) -> dict[str, Any]:
    """Fetch ``url`` to ``path`` beside which a ``.part`` grows; return url, bytes and validator for the record.

    A part left by an earlier run, killed or cut off, is continued with Range and If-Range; a server that does not
    honour that, or whose file has changed since, makes it start over. As long as a try gets further than all
    before it, tries are counted anew.

    Raises:
        FetchError: the file could not be had.
    """
    partial = path.with_name(path.name + ".part")
    attempt, furthest = 0, partial.stat().st_size if partial.exists() else 0
    while True:
        attempt += 1
        try:
            part = await _attempt(client, url, partial, settings, advance)
            break
        except FetchError as failure:
            got = partial.stat().st_size if partial.exists() else 0
            if got > furthest:
                attempt, furthest = 1, got
            if not failure.passing or attempt >= settings.tries:
                raise
            await sleep(wait_before(attempt, failure, settings))
        except OSError as error:
            raise CollectError(f"{partial} could not be written: {error.strerror or error}") from None
    return {"url": url, "bytes": partial.stat().st_size, "validator": part.validator}


def finish(path: Path) -> None:
    """Give a fetched and checked part its final name."""
    partial = path.with_name(path.name + ".part")
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    _info(partial).unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Remove what was fetched for ``path`` so far."""
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    _info(partial).unlink(missing_ok=True)


async def fetch_text(client: httpx.AsyncClient, url: str, settings: HttpSettings, limit: int = 65536) -> str:
    """Fetch a small text, such as a published checksum."""
    async with answer_to(client, url, settings) as response:
        data = b""
        async for piece in response.aiter_bytes():
            data += piece
            if len(data) > limit:
                raise FetchError("too_large", f"{url} holds more than {limit:,} bytes", passing=False)
    return data.decode("utf-8", errors="replace")


async def _attempt(
    client: httpx.AsyncClient, url: str, partial: Path, settings: HttpSettings, advance: Advance
) -> Part:
    have, known = _resumable(partial, url)
    headers = {"Accept-Encoding": "identity"}
    if have and known.validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": known.validator}
    async with answer_to(client, url, settings, headers) as response:
        start, total = _span(response)
        part = Part(url, _validator(response) or (known.validator if start else None), total)
        if response.status_code == 416:
            return _after_416(partial, have, total, part, known)
        if start and (start != have or (part.validator != known.validator)):
            discard(partial.with_suffix(""))
            raise FetchError("changed", f"{url} changed while it was being fetched", passing=True)
        _check_room(partial, start, total)
        if not start:  # old bytes must never stand beside the new validator, also not for a moment
            partial.unlink(missing_ok=True)
        write_json(_info(partial), vars(part))
        with partial.open("r+b" if start else "wb") as file:
            file.seek(start)
            async for piece in response.aiter_raw():
                file.write(piece)
                advance(file.tell(), total)
            got = file.tell()
    if total is not None and got != total:
        raise FetchError("cut_off", f"{url} gave {got:,} of {total:,} bytes", passing=True)
    return part


def _after_416(partial: Path, have: int, total: int | None, part: Part, known: Part) -> Part:
    """Range not satisfiable: the part is whole already, or is of another file."""
    if have and have == total and part.validator in (None, known.validator):
        return known
    discard(partial.with_suffix(""))
    raise FetchError("changed", f"{part.url} is shorter than what was fetched of it before", passing=True)


def _resumable(partial: Path, url: str) -> tuple[int, Part]:
    """Tell how much of the part can be continued: its whole length, or nothing."""
    nothing = Part(url, None, None)
    if not partial.exists():
        return 0, nothing
    try:
        known = Part(**read_json(_info(partial)))
    except (OSError, json.JSONDecodeError, TypeError):
        return 0, nothing
    return (partial.stat().st_size, known) if known.url == url and known.validator else (0, nothing)


def _span(response: httpx.Response) -> tuple[int, int | None]:
    """Read where the answer's bytes begin in the file, and how long the whole file is."""
    header = response.headers.get("Content-Range", "")
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", header)
        if match is None:
            raise FetchError("status_206", "a part without a Content-Range that can be read", passing=True)
        return int(match[1]), None if match[2] == "*" else int(match[2])
    if response.status_code == 416:
        match = re.fullmatch(r"bytes \*/(\d+)", header)
        return 0, int(match[1]) if match else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _validator(response: httpx.Response) -> str | None:
    """A strong ETag, or else the date of the last change: weak ETags are not allowed in If-Range."""
    tag: str | None = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return tag
    changed: str | None = response.headers.get("Last-Modified")
    return changed


def _check_room(partial: Path, start: int, total: int | None) -> None:
    free = shutil.disk_usage(partial.parent).free
    if total is not None and total - start > free:
        raise CollectError(
            f"{partial.name.removesuffix('.part')} needs {total - start:,} more bytes, {partial.parent} has "
            f"{free:,} free"
        )


def _info(partial: Path) -> Path:
    return partial.with_name(partial.name + ".json")
