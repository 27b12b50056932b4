"""Unpacking archives that came from elsewhere: nothing lands outside the folder, nothing grows without bound."""

from __future__ import annotations

import gzip
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from irisrec.errors import CollectError, count_of
from irisrec.files import atomic_path

PIECE = 1 << 20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unzip(archive: Path, folder: Path, *, max_bytes: int = 4 << 30, max_files: int = 10_000) -> list[Path]:
    """Unpack a zip file, without the one folder that all its members share, and return the files written.

    Members with absolute or climbing paths, links, and archives that hold more than the limits are refused before
    anything is written; a member that turns out longer than it declares is refused while it is.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check_members(archive, members, max_bytes, max_files)
            shared = _shared_folder(members)
            written = []
            for member in members:
                target = folder.joinpath(*PurePosixPath(member.filename).parts[1 if shared else 0 :])
                with opened.open(member) as source, atomic_path(target) as temporary:
                    _pour(source, temporary)
                written.append(target)
    except UNREADABLE as error:
        raise CollectError(
            f"{archive} is not a zip file that can be read ({error}); fetch it again"
        ) from None
    return written


def _check_members(archive: Path, members: list[zipfile.ZipInfo], max_bytes: int, max_files: int) -> None:
    for member in members:
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
            raise CollectError(
                f"{archive} holds {member.filename!r}, which points outside the folder; not unpacked"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise CollectError(f"{archive} holds {member.filename!r}, which is a link; not unpacked")
    size = sum(member.file_size for member in members)
    if len(members) > max_files or size > max_bytes:
        raise CollectError(
            f"{archive} would unpack to {count_of(len(members), 'file')} of {size:,} bytes, the limits are "
            f"{max_files:,} and {max_bytes:,}; not unpacked"
        )


def _shared_folder(members: list[zipfile.ZipInfo]) -> bool:
    parts = [PurePosixPath(member.filename).parts for member in members]
    return all(len(part) > 1 for part in parts) and len({part[0] for part in parts}) == 1


def check_zip(path: Path) -> None:
    """Read every member of a zip file, so that its own checksums speak."""
    try:
        with zipfile.ZipFile(path) as opened:
            damaged = opened.testzip()
    except UNREADABLE as error:
        raise CollectError(f"{path} is not a zip file that can be read ({error}); fetch it again") from None
    if damaged is not None:
        raise CollectError(f"{path} holds {damaged!r}, which is damaged; fetch it again")


def check_gzip(path: Path, *, max_bytes: int = 1 << 40) -> int:
    """Read a gzip file to its end, so that its own checksum speaks, and return the bytes that it unpacks to."""
    size = 0
    try:
        with gzip.open(path) as file:
            while piece := file.read(PIECE):
                size += len(piece)
                if size > max_bytes:
                    raise CollectError(f"{path} unpacks to more than {max_bytes:,} bytes; not used")
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise CollectError(f"{path} is not a whole gzip file ({error}); fetch it again") from None
    return size


def gunzip(path: Path, target: Path, *, max_bytes: int = 1 << 36) -> Path:
    """Unpack a gzip file to ``target``, which appears only when it is whole."""
    check_gzip(path, max_bytes=max_bytes)
    with gzip.open(path) as source, atomic_path(target) as temporary:
        _pour(source, temporary)
    return target


def _pour(source: IO[bytes] | gzip.GzipFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(source, file, PIECE)
