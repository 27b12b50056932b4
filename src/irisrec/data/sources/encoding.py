"""Bytes of text files: decoded as declared, and never silently as something else."""

from __future__ import annotations

import codecs
import gzip
import re
from pathlib import Path

import polars as pl

from irisrec.errors import DataError, count_of
from irisrec.notes import Note

MOJIBAKE = "\ufffd|[\x80-\x9f]|Ã[\x80-\xbf]|â€"
"""What wrongly decoded text looks like: the replacement mark, control characters of cp1252 read as latin-1, and
UTF-8 read as latin-1."""


def read_bytes(path: Path) -> bytes:
    """Read a file, unpacked where its name ends in .gz."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(f"{path} is not a whole gzip file: {error}") from None


def as_utf8(data: bytes, encoding: str | None, path: Path, option: str) -> bytes:
    """Return text as UTF-8 without a byte order mark.

    Args:
        data: the bytes of the file.
        encoding: the declared one; None means UTF-8.
        path: for messages.
        option: the option that names this file in a config, for messages.
    """
    name = codecs.lookup(encoding or "utf-8").name
    way_out = f'say {option} = {{ path = "{path.name}", encoding = "…" }}'
    if name in ("utf-8", "utf-8-sig"):
        data = data.removeprefix(codecs.BOM_UTF8)
        _check_utf8(data, path, way_out)
        text = data
    else:
        if _is_single_byte(name) and not data.isascii() and _is_utf8(data):
            raise DataError(
                f"{path} is UTF-8 text, read as {encoding} it would turn into nonsense; leave out the encoding"
            )
        try:
            text = data.decode(name).lstrip("\ufeff").encode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not {encoding} text: {_where(data, error)}; {way_out}") from None
    if (at := text.find(b"\0")) >= 0:
        line = text.count(b"\n", 0, at) + 1
        raise DataError(
            f"{path} has a NUL byte in line {line:,}, text files have none; if it is UTF-16, {way_out}"
        )
    return text


def looks_wrongly_decoded(frame: pl.DataFrame, path: Path) -> list[Note]:
    """Say how many values of string columns look as if someone had decoded them wrongly before."""
    examples: list[str] = []
    count = 0
    for column in frame.columns:
        if frame[column].dtype != pl.String:
            continue
        found = frame[column].filter(frame[column].str.contains(MOJIBAKE))
        count += len(found)
        examples += [_around(value) for value in found.head(3)]
    if not count:
        return []
    sentence = (
        f"{count_of(count, 'value')} of {path.name} look wrongly decoded; check the encoding of the file"
    )
    return [Note.of("looks_wrongly_decoded", count, sentence, examples, warning=True)]


def _around(value: str) -> str:
    found = re.search(MOJIBAKE, value)
    start = max(0, found.start() - 12) if found else 0
    return value[start : start + 30]


def _check_utf8(data: bytes, path: Path, way_out: str) -> None:
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError as error:
        guess = (
            "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "latin-1 or cp1252"
        )
        raise DataError(
            f"{path} is not UTF-8 text: {_where(data, error)}; if it is {guess}, {way_out}"
        ) from None


def _where(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    return f"line {line:,} has the byte 0x{data[error.start]:02x} at offset {error.start:,}"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_single_byte(name: str) -> bool:
    return name.startswith(("iso8859", "cp1", "cp4", "cp8", "koi8", "mac"))
