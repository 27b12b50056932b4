"""Checksums: whoever writes a file that lasts seals it, whoever reads it back checks that nothing changed.

They lie beside the files in ``SHA256SUMS``, which ``sha256sum --check`` reads, too. They tell a file that was cut off,
mixed up or damaged on its way; they are no signature.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from threading import Thread

from irisrec.errors import RunError
from irisrec.files import sha256, write_text

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/]+)")
_AT_ONCE = 1 << 24  # bytes, few reads: after each, a thread waits until it may run Python again
_begun: dict[Path, _Begun] = {}


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


def begin_checks(folder: Path) -> None:
    """Begin with the checksums of a folder's sealed files on another thread, for `check_seal` to take.

    Hashing leaves Python to others, so that a command can import libraries meanwhile. What cannot be read is left to
    `check_seal`.
    """
    try:
        paths = [folder / name for name in _read(folder)]
    except RunError:
        return
    begun = _Begun(paths)
    _begun.update(dict.fromkeys(paths, begun))
    begun.start()


class _Begun(Thread):
    def __init__(self, paths: list[Path]) -> None:
        super().__init__(daemon=True)  # nobody has to wait for it at the end
        self._paths = paths
        self._found: dict[tuple[Path, int, int], str] = {}

    def run(self) -> None:
        for path in self._paths:
            try:
                self._found[_state(path)] = _computed(path)
            except OSError:
                continue

    def digest(self, path: Path) -> str | None:
        """Return what was found, None where the file is another one by now."""
        self.join()
        return self._found.get(_state(path))


def _digest(path: Path) -> str:
    begun = _begun.pop(path, None)
    return (begun and begun.digest(path)) or _computed(path)


def _computed(path: Path) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(min(_AT_ONCE, path.stat().st_size + 1)))
    with path.open("rb", buffering=0) as file:
        while n := file.readinto(buffer):
            digest.update(buffer[:n])
    return digest.hexdigest()


def _state(path: Path) -> tuple[Path, int, int]:
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size
