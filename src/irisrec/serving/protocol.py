"""Uvicorn's HTTP protocol, with a time limit for clients that send their request drop by drop."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose request is not complete in time.

    Uvicorn limits how long a connection may stay idle between requests, not how long one may take to send the first
    line and the headers, nor how long the body may take.
    """

    header_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 20.0
    _timer: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, header_seconds: float, body_seconds: float) -> type[PatientProtocol]:
        """Return the protocol with these limits."""
        return type(
            "PatientProtocol", (cls,), {"header_seconds": header_seconds, "body_seconds": body_seconds}
        )

    def connection_made(self, transport: Any) -> None:
        """Start to wait for a request."""
        super().connection_made(transport)
        self._wait(self.header_seconds)

    def on_message_begin(self) -> None:
        """Wait for the headers of a further request on the connection."""
        super().on_message_begin()
        if self._timer is None:
            self._wait(self.header_seconds)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._wait(self.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: the rest is up to the service."""
        self._stop()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self.transport.abort()
