"""API keys: made once, shown once, kept as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from irisrec.serving.config import ApiKey

START = "iris_"  # so that scanners for secrets can find one that leaked


def new_key() -> str:
    """Return a key of 256 random bits; a plain hash of so many needs no salt and no slowness."""
    return START + secrets.token_urlsafe(32)


def hashed(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def find_key(keys: Sequence[ApiKey], given: str) -> ApiKey | None:
    """Return the key that was given; all are compared, so that the time tells nothing of which one came close."""
    digest = hashed(given)
    found = None
    for key in keys:
        if hmac.compare_digest(key.sha256, digest):
            found = key
    return found
