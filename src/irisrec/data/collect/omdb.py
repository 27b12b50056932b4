"""The OMDb API: one film per question, with the user's own key, which never leaves for anywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from irisrec.data.collect.http import FetchError, HttpSettings, Pace, Sleep, retry_after, wait_before
from irisrec.errors import CollectError

BASE_URL = "https://www.omdbapi.com/"
KEPT = (
    "Title",
    "Year",
    "Released",
    "Runtime",
    "Genre",
    "Director",
    "Writer",
    "Actors",
    "Plot",
    "Language",
    "Country",
    "Poster",
    "imdbID",
    "imdbRating",
    "imdbVotes",
    "Type",
)
NOT_THERE = ("not found", "incorrect imdb id")


class LimitReachedError(CollectError):
    """The key's requests for today are used up."""


class Omdb:
    """Asks the API one question at a time.

    Attributes:
        asked: requests made so far, repeated tries included.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        key: SecretStr,
        http: HttpSettings,
        pace: Pace,
        *,
        base_url: str = BASE_URL,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client, self._key, self._http, self._pace = client, key, http, pace
        self._base_url, self._sleep = base_url, sleep
        self.asked = 0

    async def ask(self, question: Mapping[str, str]) -> dict[str, Any] | None:
        """Ask for one film by ``i`` (IMDb id) or ``t`` (title) and ``y`` (year); None for a definite no.

        Raises:
            LimitReachedError: the daily limit is reached.
            CollectError: the key is not accepted.
            FetchError: no answer after all tries; asking later can help.
        """
        for attempt in range(1, self._http.tries + 1):
            await self._pace.turn()
            try:
                return await self._once(question)
            except FetchError as failure:
                if not failure.passing or attempt == self._http.tries:
                    raise
                await self._sleep(wait_before(attempt, failure, self._http))
        raise AssertionError("tries is at least 1")

    async def _once(self, question: Mapping[str, str]) -> dict[str, Any] | None:
        self.asked += 1
        parameters = {**question, "plot": "full", "r": "json", "apikey": self._key.get_secret_value()}
        try:
            response = await self._client.get(self._base_url, params=parameters)
        except httpx.TimeoutException:
            raise FetchError("timeout", "OMDb did not answer in time", passing=True) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            name = type(error).__name__
            raise FetchError("connection", f"no connection to OMDb ({name})", passing=True) from None
        return _read(response)


def _read(response: httpx.Response) -> dict[str, Any] | None:
    """Tell a film, a definite no, a refused key, a used-up day and a passing fault apart."""
    answer = _json(response)
    said = str(answer.get("Error", ""))
    if "limit reached" in said.lower():
        raise LimitReachedError(f"OMDb says: {said}")
    if response.status_code in (401, 403):
        hint = "check the key, and that it was activated by the link in OMDb's mail"
        raise CollectError(f"OMDb does not accept the API key ({response.status_code}); {hint}")
    if response.status_code == 200 and answer.get("Response") == "True":
        return {name: answer[name] for name in KEPT if isinstance(answer.get(name), str)}
    if response.status_code == 200 and any(phrase in said.lower() for phrase in NOT_THERE):
        return None
    what = f"{response.status_code}" + (f" and {said!r}" if said else "")
    kind = f"status_{response.status_code}"
    raise FetchError(kind, f"OMDb answered {what}", passing=True, wait=retry_after(response))


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@contextlib.contextmanager
def key_kept_out_of_logs(key: SecretStr) -> Iterator[None]:
    """Mask the key in what the HTTP library logs: it writes whole addresses, and OMDb wants the key there."""
    secret = key.get_secret_value()

    def mask(record: logging.LogRecord) -> bool:
        if secret in record.getMessage():
            record.msg, record.args = record.getMessage().replace(secret, "***"), ()
        return True

    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore.connection", "httpcore.http11")]
    for logger in loggers:
        logger.addFilter(mask)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(mask)
