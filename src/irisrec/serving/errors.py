"""Why a request cannot be served: each with its HTTP status and one sentence."""

from __future__ import annotations

from irisrec.errors import IrisrecError


class ServingError(IrisrecError):
    """A request that cannot be served now, or at all; ``status`` is its HTTP status."""

    status = 400

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside the sentence."""
        return {}


class NotFoundError(ServingError):
    """A user, an item or a page that is not there."""

    status = 404


class ConflictError(ServingError):
    """Something that contradicts what is there."""

    status = 409


class UnavailableError(ServingError):
    """Too busy, or the store does not answer: try again."""

    status = 503

    @property
    def headers(self) -> dict[str, str]:
        """When to try again."""
        return {"Retry-After": "1"}


class StoreFullError(ServingError):
    """No room for what should be kept; nothing of the request was."""

    status = 507
