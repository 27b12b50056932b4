"""What routes have in common: the service of a request, limits, and answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from irisrec.errors import DataError
from irisrec.serving.schemas.answers import Error
from irisrec.serving.service import Service


async def _service(request: Request) -> Service:  # not on a thread, where plain functions would run
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(_service)]
KEY = Depends(HTTPBearer(auto_error=False, description="A key; asked for where the service has some."))

_WHY = {
    400: "Not a request that can be read.",
    401: "A key is asked for.",
    403: "The key may not do this.",
    404: "Not there.",
    409: "Contradicts what is there.",
    413: "Too large a body.",
    422: "Not as it has to be; the message says what.",
    429: "Too often.",
    503: "Try again.",
    507: "No room left.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route in the OpenAPI document."""
    return {
        status: {"model": Error, "description": _WHY[status]}
        for status in sorted({400, 401, 403, 422, 429, 503, *statuses})
    }


def at_most(name: str, value: int, limit: int) -> None:
    """Raise a DataError for more than the service allows."""
    if value > limit:
        raise DataError(f"{name} may be at most {limit:,} here, got {value:,}")
