"""Checksums: whoever writes a file that lasts seals it, whoever reads it back checks that nothing changed.

They lie beside the files in ``SHA256SUMS``, which ``sha256sum --check`` reads, too. They tell a file that was cut off,
mixed up or damaged on its way; they are no signature.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from irisrec.errors import RunError
from irisrec.files import sha256, write_text

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/]+)")


def seal(*paths: Path) -> None:
    """Write down the checksums of whole files of one folder; those of its other files stay."""
    folder = paths[0].parent
    try:
        sums = _read(folder)
    except RunError:
        sums = {}
    sums |= {path.name: _digest(path) for path in paths}
    write_text(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def check_seal(path: Path) -> None:
    """Raise a RunError unless a file is what it was when it was sealed."""
    if not path.exists():
        raise RunError(f"{path} is missing; the folder is not complete")
    sealed = _read(path.parent).get(path.name)
    if sealed is None:
        raise RunError(
            f"{path} has no checksum in {SUMS}; it was not written to the end, or not by this version"
        )
    if (found := _digest(path)) != sealed:
        raise RunError(
            f"{path} is not what was written: its SHA-256 is {found[:12]}…, {SUMS} says {sealed[:12]}…; "
            "copy the folder again, or make it anew"
        )


def is_part(path: Path) -> bool:
    """Whether a file that not every folder has belongs to this one: it was sealed, or it lies there."""
    return path.name in _read(path.parent) or path.exists()


def check_sealed(folder: Path) -> None:
    """Raise a RunError unless a folder has exactly the files that were sealed in it, as they were."""
    lying = {path.name for path in folder.iterdir()} - {SUMS} if folder.is_dir() else set()
    for name in sorted({*_read(folder), *lying}):
        check_seal(folder / name)


def fingerprint_of_sealed(folder: Path) -> str:
    """Return one hash for all files that were sealed in a folder."""
    return sha256(*(f"{digest} {name}" for name, digest in sorted(_read(folder).items())))


def _read(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read ({error}); copy the folder again, or make it anew") from None
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise RunError(f"{path} is damaged; copy the folder again, or make it anew")
    return {match[2]: match[1] for match in found if match}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
