"""What went wrong, as JSON: the sentence that the library gives, and never a stack trace."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from irisrec.errors import IrisrecError
from irisrec.serving.errors import ServingError


def body_of(kind: str, message: str, request_id: str) -> dict[str, Any]:
    """Return the JSON of an error."""
    return {"error": kind, "message": message, "request_id": request_id}


def add_handlers(app: FastAPI) -> None:
    """Make an app answer errors as JSON."""

    def answer(request: Request, status: int, kind: str, message: str, headers: Any = None) -> JSONResponse:
        request_id = request.scope.get("state", {}).get("request_id", "")
        return JSONResponse(body_of(kind, message, request_id), status, headers)

    @app.exception_handler(IrisrecError)
    async def _mistake(request: Request, error: IrisrecError) -> JSONResponse:
        if isinstance(error, ServingError):
            return answer(request, error.status, type(error).__name__, str(error), error.headers)
        return answer(request, 422, type(error).__name__, str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, 422, "RequestError", sentence(error.errors()[0]))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        message = _PLAIN.get(error.status_code, str(error.detail))
        return answer(request, error.status_code, "RequestError", message, error.headers)


_PLAIN = {
    404: "there is nothing under this path; GET /openapi.json lists what there is",
    405: "this path does not know this method; GET /openapi.json lists what there is",
}


# what a place is called where one of several shapes may stand
_ALTERNATIVES = {
    "constrained-str",
    "constrained-int",
    "constrained-float",
    "float",
    "str",
    "int",
    "HistoryItem",
}


def sentence(error: dict[str, Any]) -> str:
    """Say what does not fit a schema, as `irisrec.settings` does.

    >>> sentence({"type": "missing", "loc": ("body", "item_id"), "msg": "Field required", "input": {}})
    'body.item_id is required'
    """
    where = ".".join(str(part) for part in error["loc"] if part not in _ALTERNATIVES)
    kind, message = error["type"], str(error["msg"])
    if kind == "json_invalid":
        why = error.get("ctx", {}).get("error", message)
        place = error["loc"][-1]
        return (
            f"the body is not JSON: {why} at {place}"
            if isinstance(place, int)
            else f"{where} is not JSON: {why}"
        )
    if kind == "extra_forbidden":
        return f"unknown field {where}; GET /openapi.json lists the known ones"
    if kind == "missing":
        return f"{where} is required"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "model_attributes_type":
        return f"{where} must be a JSON object, sent with Content-Type: application/json"
    given = repr(error.get("input"))
    short = given if len(given) <= 60 else given[:57] + "…"
    return f"{where}: {message[:1].lower()}{message[1:]}, got {short}"
