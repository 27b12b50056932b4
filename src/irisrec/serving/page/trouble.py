"""Errors as pages, for browsers; programs get them as JSON."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import quote

from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from irisrec.serving.page.rendering import render, wants_page
from irisrec.serving.page.sentences import sentence
from irisrec.serving.page.signing import SIGN_IN

_TITLES = {
    404: "Not here",
    413: "Too large",
    422: "That does not fit",
    429: "A little slower, please",
    503: "Busy just now",
}


class ErrorsAsPages:
    """The outermost layer: turns an error that a browser would show as JSON into a page with a way on.

    Where a key is asked for, the page is the one where it is given.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not wants_page(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_error(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, sending)
        if start is not None:
            await _page(scope, start, bytes(body))(scope, receive, send)


def _is_error(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] >= HTTPStatus.BAD_REQUEST and kind.startswith("application/json")


def _page(scope: Scope, start: Message, body: bytes) -> Response:
    status, found = start["status"], json.loads(body)
    request = Request(scope)
    answer: Response
    if status == HTTPStatus.UNAUTHORIZED:
        to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = RedirectResponse(f"{SIGN_IN}?to={quote(to)}" if scope["method"] == "GET" else SIGN_IN, 303)
    else:
        title = _TITLES.get(status, "Something went wrong" if status >= 500 else "This cannot be shown")
        view = {
            "title": title,
            "sentence": sentence(found["message"]),
            "request_id": found["request_id"],
            "state": None,
        }
        answer = render(request, "trouble.html", status, **view)
    kept = MutableHeaders(scope={"headers": list(start["headers"])})
    for name in ("content-type", "content-length", "www-authenticate"):
        del kept[name]
    answer.raw_headers.extend(kept.raw)
    return answer
