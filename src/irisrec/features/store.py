"""Vectors kept on disk by content: what was encoded once is never encoded again.

A store is a folder with one sub-folder per modality, encoder and settings; in it lie shards (safetensors files)
with the key and the vector of each content. A shard is written whole or not at all, under a name of its own, so a
killed run loses at most the batch in work and any number of runs may write at once. Whoever is alone at the end
merges the shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from irisrec.errors import FeatureError, count_of
from irisrec.files import PARTIAL, atomic_path, read_json, sha256, write_json
from irisrec.notes import Note

try:
    import fcntl
except ImportError:  # no such locks here: shards are then never merged, which costs files but no vectors
    fcntl = None  # type: ignore[assignment]

Key = bytes
SHARD = "*.safetensors"
MERGE_FROM = 4
MERGED_BYTES = 32 * 2**20  # merging holds a few times as much in memory


class FeatureStore:
    """The vectors of one modality by one encoder with fixed settings; use as a context.

    Attributes:
        folder: where the shards lie.
        known: for each stored key, the shard and the row where its vector stands.
        shortened: stored keys whose content the encoder had to shorten.
        notes: shards that could not be read, counted.
    """

    def __init__(self, root: Path, modality: str, identity: Mapping[str, Any]) -> None:
        text = repr(_canonical(identity))
        self.folder = Path(root) / modality / f"{identity['encoder']}-{sha256(text)[:16]}"
        self.known: dict[Key, tuple[str, int]] = {}
        self.shortened: set[Key] = set()
        self.notes: list[Note] = []
        self._identity = dict(identity)
        self._lock: IO[bytes] | None = None
        self._read: set[str] = set()
        self._damaged: list[str] = []

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("ab")
        except OSError as error:
            raise FeatureError(
                f"the feature store cannot be written at {self.folder}: {error.strerror}"
            ) from None
        if fcntl:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
        if not (self.folder / "identity.json").exists():
            write_json(self.folder / "identity.json", self._identity)
        self.refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._lock is not None
        if kind is None:
            self._merge()
        self._lock.close()
        self._lock = None

    def refresh(self) -> None:
        """Learn of shards that were written since, also by another process."""
        damaged = []
        for path in sorted(self.folder.glob(SHARD)):
            if path.name.startswith(".") or path.name in self._read:
                continue
            self._read.add(path.name)
            try:
                shard = _load(path, values=False)
            except FileNotFoundError:
                continue
            except Exception:  # whatever a disk did to it: its contents are encoded again
                damaged.append(path.name)
                continue
            for row, key in enumerate(map(bytes, shard["keys"])):
                self.known[key] = (path.name, row)
            self.shortened |= {bytes(key) for key in shard["keys"][shard["shortened"].astype(bool)]}
        if damaged:
            self._damaged += damaged
            sentence = (
                f"{count_of(len(damaged), 'damaged file')} in the feature store ignored and encoded again"
            )
            self.notes.append(Note.of("store_damaged", len(damaged), sentence, damaged, warning=True))

    def append(self, keys: Sequence[Key], values: NDArray[np.float32], shortened: Sequence[bool]) -> None:
        """Write one batch of vectors; after this call they survive a kill."""
        name = f"{uuid4().hex}.safetensors"
        _write(self.folder / name, keys, values, shortened)
        self._read.add(name)
        self.known.update({key: (name, row) for row, key in enumerate(keys)})
        self.shortened |= {key for key, flag in zip(keys, shortened, strict=True) if flag}

    def read(self, wanted: Mapping[Key, int], out: NDArray[np.float32]) -> None:
        """Copy the vectors of the wanted keys into the given rows of ``out``, one shard in memory at a time."""
        by_shard: dict[str, list[tuple[int, int]]] = {}
        for key, row in wanted.items():
            shard, place = self.known[key]
            by_shard.setdefault(shard, []).append((place, row))
        for shard, pairs in by_shard.items():
            places, rows = np.array(pairs).T
            out[rows] = _load(self.folder / shard)["values"][places]

    def stored_dim(self) -> int | None:
        """Return the width of the stored vectors, None where nothing is stored."""
        for shard, _ in self.known.values():
            return int(_load(self.folder / shard)["values"].shape[1])
        return None

    def _merge(self) -> None:
        """Join small shards into large ones, if no other process works here."""
        if not fcntl or self._lock is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        self.refresh()
        # Nobody else is at work here: what killed runs and bad disks left can go.
        for stale in [*self.folder.glob(PARTIAL), *(self.folder / name for name in self._damaged)]:
            stale.unlink(missing_ok=True)
        for group in _groups(self.folder):
            _merge_into_one(self.folder, group)


def save_state(folder: Path, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
    """Write what an encoder has fitted: arrays as safetensors, the rest as JSON, in this order."""
    from safetensors.numpy import save

    with atomic_path(folder / "arrays.state") as path:
        path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
    write_json(folder / "state.json", dict(values))


def load_state(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return what `save_state` wrote, or None where it is not there as a whole."""
    from safetensors.numpy import load

    if not (folder / "state.json").exists():
        return None
    try:
        return load((folder / "arrays.state").read_bytes()), read_json(folder / "state.json")
    except Exception as error:
        raise FeatureError(
            f"the fitted encoder at {folder} cannot be read: {error} (delete the folder to fit it again)"
        ) from None


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return sorted((str(key), _canonical(inner)) for key, inner in value.items())
    return [_canonical(inner) for inner in value] if isinstance(value, list | tuple) else value


def _load(path: Path, *, values: bool = True) -> dict[str, NDArray[Any]]:
    from safetensors import safe_open

    if not path.exists():
        raise FileNotFoundError(path)
    with safe_open(path, framework="numpy") as file:
        names = ("keys", "shortened", "values") if values else ("keys", "shortened")
        loaded = {name: file.get_tensor(name) for name in names}
        if file.get_slice("values").get_shape()[0] != len(loaded["keys"]):
            raise FeatureError(f"{path} has not one vector per key")
    return loaded


def _write(path: Path, keys: Sequence[Key], values: NDArray[np.float32], shortened: Sequence[bool]) -> None:
    from safetensors.numpy import save

    tensors: dict[str, NDArray[Any]] = {
        "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1),
        "values": np.ascontiguousarray(values, np.float32),
        "shortened": np.asarray(shortened, np.uint8),
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors))


def _groups(folder: Path) -> list[list[Path]]:
    """Put small shards into groups whose merged size stays moderate."""
    groups: list[list[Path]] = [[]]
    size = 0
    for path in sorted(folder.glob(SHARD)):
        bytes_here = path.stat().st_size
        if path.name.startswith(".") or bytes_here >= MERGED_BYTES // 2:
            continue
        if size + bytes_here > MERGED_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(path)
        size += bytes_here
    return [group for group in groups if len(group) >= MERGE_FROM]


def _merge_into_one(folder: Path, paths: Sequence[Path]) -> None:
    found: dict[Key, tuple[NDArray[np.float32], bool]] = {}
    readable = []
    for path in paths:
        try:
            shard = _load(path)
        except Exception:  # counted by `refresh` already
            path.unlink(missing_ok=True)
            continue
        readable.append(path)
        for key, vector, flag in zip(
            map(bytes, shard["keys"]), shard["values"], shard["shortened"], strict=True
        ):
            found[key] = (vector, bool(flag))
    if found:
        values = np.stack([vector for vector, _ in found.values()])
        _write(
            folder / f"{uuid4().hex}.safetensors", list(found), values, [flag for _, flag in found.values()]
        )
    for path in readable:
        path.unlink()
