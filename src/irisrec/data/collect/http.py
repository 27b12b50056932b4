"""Polite HTTP: one client, redirects checked hop by hop, tries with growing waits, failures that have a kind."""

from __future__ import annotations

import asyncio
import email.utils
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from pydantic import Field

from irisrec import __version__
from irisrec.errors import CollectError
from irisrec.settings import Settings

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]

TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}


class HttpSettings(Settings):
    """How to talk to servers.

    Attributes:
        connect_seconds: time to reach a server.
        read_seconds: longest silence in the middle of an answer.
        tries: how often one thing is asked for before giving up.
        first_wait: seconds before the second try; every further wait is twice as long.
        longest_wait: the most seconds waited before one try, also where a server asks for more.
        redirects: hops that are followed.
        user_agent: how we introduce ourselves.
    """

    connect_seconds: float = Field(default=10.0, gt=0)
    read_seconds: float = Field(default=30.0, gt=0)
    tries: int = Field(default=5, ge=1)
    first_wait: float = Field(default=1.0, ge=0)
    longest_wait: float = Field(default=120.0, ge=0)
    redirects: int = Field(default=5, ge=0)
    user_agent: str = f"irisrec/{__version__} (recommender research)"


class FetchError(CollectError):
    """Something asked of a server that did not come.

    Attributes:
        kind: a stable, machine-readable name, e.g. ``not_found``.
        passing: whether asking again later can help.
        wait: seconds the server asked us to stay away, where it did.
    """

    def __init__(self, kind: str, sentence: str, *, passing: bool, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.passing = passing
        self.wait = wait


def new_client(settings: HttpSettings, connections: int = 1) -> httpx.AsyncClient:
    """Open a client that follows nothing by itself; proxies are taken from the environment."""
    seconds, silence = settings.connect_seconds, settings.read_seconds
    return httpx.AsyncClient(
        headers={"User-Agent": settings.user_agent},
        timeout=httpx.Timeout(connect=seconds, read=silence, write=silence, pool=None),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
    )


@asynccontextmanager
async def answer_to(
    client: httpx.AsyncClient,
    url: str | httpx.URL,
    settings: HttpSettings,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[httpx.Response]:
    """Open one streamed answer, redirects followed; whatever goes wrong becomes a ``FetchError``.

    Only 200, 206 and 416 come back as answers. No message holds more of the address than its host, since a query
    may carry a key.
    """
    host = "the server"
    try:
        request = client.build_request("GET", url, headers=headers)
        host = request.url.host
        response = await _follow(client, request, settings)
        try:
            _check_status(response)
            yield response
        finally:
            await response.aclose()
    except httpx.TimeoutException:
        raise FetchError("timeout", f"{host} did not answer in time", passing=True) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise FetchError(
            "bad_address", "not an address of the form http:// or https://", passing=False
        ) from None
    except httpx.HTTPError as error:
        raise FetchError(
            "connection", f"the connection to {host} broke: {_reason(error)}", passing=True
        ) from None


async def _follow(
    client: httpx.AsyncClient, request: httpx.Request, settings: HttpSettings
) -> httpx.Response:
    for _ in range(settings.redirects + 1):
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise FetchError(
                "bad_address", f"{request.url.scheme or 'no'}: is not http or https", passing=False
            )
        response = await client.send(request, stream=True)
        if response.next_request is None:
            return response
        await response.aclose()
        request = response.next_request
    message = f"more than {settings.redirects} redirects, the last one to {request.url.host}"
    raise FetchError("redirects", message, passing=False)


def _check_status(response: httpx.Response) -> None:
    status, host = response.status_code, response.request.url.host
    if status in (200, 206, 416):
        return
    sentence = f"{host} answered {status} {response.reason_phrase}".rstrip()
    if status in (404, 410):
        raise FetchError("not_found", sentence, passing=False)
    raise FetchError(f"status_{status}", sentence, passing=status in TRY_AGAIN, wait=retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Read the seconds that a server asks us to wait, given as a number or as a date; None where it does not."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def wait_before(attempt: int, failure: FetchError, settings: HttpSettings) -> float:
    """Give the seconds to wait after a failed attempt, counted from 1: what the server asks for, or doubling."""
    own = settings.first_wait * 2.0 ** (attempt - 1)
    return float(min(max(own, failure.wait or 0.0), settings.longest_wait))


async def with_tries(
    what: Callable[[], Awaitable[T]], settings: HttpSettings, sleep: Sleep = asyncio.sleep
) -> T:
    """Do something until it works, the failure is not of the passing kind, or the tries are used up."""
    for attempt in range(1, settings.tries):
        try:
            return await what()
        except FetchError as failure:
            if not failure.passing:
                raise
            await sleep(wait_before(attempt, failure, settings))
    return await what()


class Pace:
    """Keep a shortest time between the starts of requests."""

    def __init__(
        self, per_second: float, sleep: Sleep = asyncio.sleep, clock: Clock = time.monotonic
    ) -> None:
        self._gap = 1.0 / per_second
        self._sleep, self._clock = sleep, clock
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the next request may start."""
        now = self._clock()
        start = max(now, self._next)
        self._next = start + self._gap
        if start > now:
            await self._sleep(start - now)

    def pause(self, seconds: float) -> None:
        """Let no request start for some seconds."""
        self._next = max(self._next, self._clock() + seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end, also from inside a notebook, where a loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    box: list[T | BaseException] = []

    def inside() -> None:
        try:
            box.append(asyncio.run(work))
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.RemoteProtocolError):
        return "the answer ended early or was not HTTP"
    if isinstance(error, httpx.ConnectError):
        return "no connection could be made"
    return type(error).__name__
