"""Every request gets an id, a line in the log, and its place in the metrics."""

from __future__ import annotations

import logging
import re
import time
import uuid

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from irisrec.serving.handlers import body_of
from irisrec.serving.metrics import Metrics

LOG = logging.getLogger("irisrec.serving.requests")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # others count as one
_QUIET = ("/health", "/ready", "/metrics")  # asked for every few seconds by machines


class Observing:
    """The outermost layer; an error that nobody foresaw ends here, in the log, with its trace.

    A client or a proxy may bring ``X-Request-ID``; the answer has it in any case. Lines of the log and names of
    metrics hold the pattern of a path, never the path: it may name a user.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            LOG.exception("an error that nobody foresaw", extra={"fields": {"request_id": request_id}})
            if not status:
                sorry = "the service failed at this request; its log has the cause under the request's id"
                await JSONResponse(body_of("Error", sorry, request_id), 500)(scope, receive, sending)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        if route in _QUIET and status < 400:
            return
        fields = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
            "client": (scope.get("client") or ("",))[0],
            "key": scope["state"].get("key", ""),
        }
        LOG.info("request", extra={"fields": fields})
