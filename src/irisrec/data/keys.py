"""Numbers that look random but depend on ids and a seed alone: the same on every machine and in every order."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from irisrec.data.dataset import Dataset
from irisrec.ids import IdMap


def pair_keys(dataset: Dataset, seed: str) -> NDArray[np.uint64]:
    """Return one number per interaction, uniform in 64 bits, from its user id, its item id and the seed."""
    salt = np.uint64(_digest(f"seed {seed}"))
    users = _mix(_id_keys(dataset.users) ^ salt)
    items = _id_keys(dataset.items)
    return _mix(users[dataset.user_index] ^ items[dataset.item_index])


def id_keys(ids: IdMap, seed: str) -> NDArray[np.uint64]:
    """Return one number per id, uniform in 64 bits, from the id and the seed."""
    return _mix(_id_keys(ids) ^ np.uint64(_digest(f"seed {seed}")))


def _id_keys(ids: IdMap) -> NDArray[np.uint64]:
    if ids.kind == "integer":
        return _mix(ids.series.to_numpy().astype(np.int64).view(np.uint64))
    return np.fromiter((_digest(str(id)) for id in ids.series), np.uint64, len(ids))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all 64 (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
