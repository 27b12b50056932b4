"""A limit to what a request may send, by what it announces and by what really comes."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from irisrec.serving.handlers import body_of


class BodyLimit:
    """Answers 413 to a body of more than ``most`` bytes, before it is read where its length is announced.

    Args:
        most: bytes.
        larger: {path: the bytes that it takes instead}.
    """

    def __init__(self, app: ASGIApp, most: int, larger: Mapping[str, int]) -> None:
        self.app = app
        self.most = most
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.larger.get(scope["path"], self.most)
        message = f"the body may have at most {most:,} bytes here"
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > most:
            refusal = JSONResponse(body_of("RequestError", message, scope["state"]["request_id"]), 413)
            await refusal(scope, receive, send)
            return
        came = 0

        async def receiving() -> Message:
            nonlocal came
            part = await receive()
            came += len(part.get("body", b""))
            if came > most:
                raise HTTPException(413, message)
            return part

        await self.app(scope, receiving, send)
