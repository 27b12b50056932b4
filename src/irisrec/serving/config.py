"""All settings of the service in one place: defaults, a TOML file, the environment, the command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from irisrec.errors import ConfigError
from irisrec.settings import Settings

PREFIX = "IRISREC_SERVE_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ApiKey(Settings):
    """A key that may call the service.

    Attributes:
        name: who has it; stands in the logs.
        scope: ``read`` asks, ``write`` may also add, forget and reload.
        sha256: of the key itself, which is not kept.
    """

    name: str = Field(min_length=1, max_length=64)
    scope: Literal["read", "write"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Limits(Settings):
    """The most that one request may ask for.

    Attributes:
        body_bytes: of a request's body.
        k: recommended or similar items.
        reasons: history items named for each.
        history: items of a given history, and the newest items of a stored one that count.
        batch: people of ``/recommend/batch``.
        events: of ``/interactions``.
        picture_bytes, pixels: of a picture that is sent.
        waiting: requests that wait for the model; further ones are turned away at once.
        together: requests that are computed as one block.
        connections: open at a time.
        seconds: until an answer, after which the request is given up.
        header_seconds, body_seconds: that a client may take to send them.
    """

    body_bytes: int = Field(default=1_000_000, ge=1_000)
    k: int = Field(default=100, ge=1, le=1000)
    reasons: int = Field(default=10, ge=0, le=100)
    history: int = Field(default=1000, ge=1, le=10_000)
    batch: int = Field(default=100, ge=1, le=1000)
    events: int = Field(default=1000, ge=1, le=5000)
    picture_bytes: int = Field(default=10_000_000, ge=1_000)
    pixels: int = Field(default=25_000_000, ge=1)
    waiting: int = Field(default=256, ge=1)
    together: int = Field(default=32, ge=1)
    connections: int = Field(default=1000, ge=1)
    seconds: float = Field(default=10.0, gt=0)
    header_seconds: float = Field(default=10.0, gt=0)
    body_seconds: float = Field(default=20.0, gt=0)


class Rate(Settings):
    """How often one key, or one address where no keys are used, may ask; ``per_second = 0`` sets no limit."""

    per_second: float = Field(default=100.0, ge=0)
    burst: int = Field(default=200, ge=1)


class ServeSettings(Settings):
    """How to serve a run.

    Attributes:
        run: the run folder, or a link to it; read again at a reload.
        host, port: where to listen.
        database: SQLAlchemy URL of the history store; a SQLite file beside the run where empty.
        keys: who may call; everybody on this machine where there are none.
        without_keys: serve other machines although there are no keys.
        hosts: names that clients may call the service by; any where keys are used, those of this machine where not.
        trusted_proxies: addresses whose ``X-Forwarded-For`` is believed.
        verb: what people do with items, in the past, for reasons in words.
        workers: threads that compute, each on one core; as many as there are cores where 0.
        limits, rate: what one request, and one client, may take.
        items_seconds: how often the store is asked for items that another replica has added; never where 0.
        drain_seconds: how long requests that have begun may go on when the service stops.
    """

    run: Path
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database: str = ""
    keys: tuple[ApiKey, ...] = ()
    without_keys: bool = False
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    verb: str = "had"
    workers: int = Field(default=0, ge=0, le=256)
    limits: Limits = Limits()
    rate: Rate = Rate()
    items_seconds: float = Field(default=2.0, ge=0)
    drain_seconds: int = Field(default=20, ge=0)

    @field_validator("keys")
    @classmethod
    def _distinct(cls, keys: tuple[ApiKey, ...]) -> tuple[ApiKey, ...]:
        names = [key.name for key in keys]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"each key needs a name of its own, {twice!r} stands more than once")
        return keys

    @classmethod
    def gather(
        cls,
        file: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        **options: Any,
    ) -> Self:
        """Read a TOML file, then ``IRISREC_SERVE_…`` variables, then options that are not None; the last one holds.

        ``IRISREC_SERVE_LIMITS__K=50`` is ``k = 50`` in the table ``[limits]``.

        >>> ServeSettings.gather(environment={"IRISREC_SERVE_LIMITS__K": "50"}, run="runs/shop").limits.k
        50
        """
        values = _read_toml(file) if file else {}
        for name, text in environment.items():
            if name.startswith(PREFIX):
                _put(values, name.removeprefix(PREFIX).lower().split("__"), _value(text))
        values |= {name: value for name, value in options.items() if value is not None}
        return cls.read(values, "serve")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    @property
    def database_url(self) -> str:
        """Where the history store is."""
        if self.database:
            return self.database
        return f"sqlite:///{self.run.with_name(self.run.name + '.history.sqlite3')}"

    def check_reach(self) -> None:
        """Raise a ConfigError where other machines could reach a service that asks for no key."""
        if not (self.is_loopback or self.keys or self.without_keys):
            raise ConfigError(
                f"listening on {self.host} lets other machines in, and there are no keys; make one with "
                "`irisrec serve-key`, or give --without-keys if something else guards the service"
            )


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read as TOML: {error}") from None


def _value(text: str) -> Any:
    """Read a TOML value; what is none is meant as text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(values: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"serve.{name} is a single value and has no {names[-1]!r} in it")
        values = inner
    values[names[-1]] = value
