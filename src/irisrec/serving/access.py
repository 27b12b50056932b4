"""Who may come in: by host, by origin, by key and scope, and how often."""

from __future__ import annotations

import math
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from irisrec.serving.config import LOOPBACK, ApiKey, ServeSettings
from irisrec.serving.handlers import body_of
from irisrec.serving.keys import find_key
from irisrec.serving.rate import Buckets

COOKIE = "irisrec_key"  # how a browser carries a key; good for reading alone
OPEN = {"/health", "/ready"}  # for machines that watch the service, without a key
READING = {"/recommend", "/recommend/batch", "/explain", "/new-item"}  # asked by POST, changing nothing

_Scope = Literal["open", "read", "write"]


def scope_of(method: str, path: str, opened: frozenset[str] = frozenset()) -> _Scope:
    """Return the scope that a request needs; what is not known to be harmless needs ``write``.

    >>> scope_of("GET", "/health"), scope_of("POST", "/recommend"), scope_of("DELETE", "/users/7")
    ('open', 'read', 'write')
    """
    if path in OPEN or path in opened:
        return "open"
    if method in ("GET", "HEAD", "OPTIONS") or (method == "POST" and path in READING):
        return "read"
    return "write"


class Gate:
    """Turns requests away before anything of them is read.

    Args:
        settings: keys, hosts and rate.
        opened: further paths that need no key, such as where one signs in.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings, opened: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.keys = settings.keys
        self.opened = opened
        self.buckets = Buckets(settings.rate)
        # without keys a page elsewhere must not reach the service by a name that it has made point here
        self.hosts = set(settings.hosts) or (
            set(LOOPBACK) if settings.is_loopback and not self.keys else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refused = self._refused(scope) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def _refused(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host = _name(headers.get("host", ""))
        if self.hosts is not None and host not in self.hosts:
            return _refusal(
                scope, 400, "HostError", f"this service is not called {host!r}; see its setting `hosts`"
            )
        needed = scope_of(scope["method"], scope["path"], self.opened)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and _from_elsewhere(headers):
            return _refusal(scope, 403, "OriginError", "a page of another origin may not send this")
        key = self._key(headers, needed)
        client = key.name if key else _network((scope.get("client") or ("",))[0])
        if scope["path"] not in OPEN and (wait := self.buckets.wait_of(client)):
            rate = self.buckets.rate
            message = (
                f"at most {rate.per_second:g} requests per second and client, {rate.burst} at once; wait"
            )
            return _refusal(scope, 429, "RateError", message, {"Retry-After": str(math.ceil(wait))})
        if self.keys and needed != "open":
            if key is None:
                message = "this service asks for a key: Authorization: Bearer KEY"
                return _refusal(scope, 401, "KeyError", message, {"WWW-Authenticate": "Bearer"})
            if needed == "write" and key.scope == "read":
                return _refusal(
                    scope, 403, "KeyError", f"the key {key.name!r} may read, and this needs one to write"
                )
        scope["state"]["key"] = key.name if key else ""
        return None

    def _key(self, headers: Headers, needed: _Scope) -> ApiKey | None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return find_key(self.keys, given.strip())
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return find_key(self.keys, cookie) if cookie and needed != "write" else None


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site's page sends the request."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def _network(address: str) -> str:
    """Return who asks as one client: an address, or the network of an IPv6 address, of which one client has 2^64.

    >>> _network("192.0.2.7"), _network("2001:db8:1:2:3:4:5:6")
    ('192.0.2.7', '2001:db8:1:2::')
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # a socket of the file system has none
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) >> 64 << 64))


def _name(host: str) -> str:
    """Return a host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _refusal(
    scope: Scope, status: int, kind: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(body_of(kind, message, scope["state"]["request_id"]), status, headers)
