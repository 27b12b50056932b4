"""Signing in with an API key, for a browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from irisrec.serving.access import COOKIE
from irisrec.serving.keys import find_key
from irisrec.serving.page.rendering import render
from irisrec.serving.routes.shared import TheService

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
router = APIRouter(include_in_schema=False)


@router.get(SIGN_IN)
async def ask(request: Request, to: str = "/") -> HTMLResponse:
    """Ask for a key."""
    return render(request, "sign_in.html", to=_inside(to), problem="", state=None)


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    service: TheService,
    key: Annotated[str, Form(max_length=256)] = "",
    to: Annotated[str, Form(max_length=4096)] = "/",
) -> Response:
    """Keep a key that is known in the browser, where no script can read it."""
    if find_key(service.settings.keys, key.strip()) is None:
        problem = "This key is not known. Keys begin with “iris_”; whoever runs the service has them."
        return render(request, "sign_in.html", 403, to=_inside(to), problem=problem, state=None)
    answer = RedirectResponse(_inside(to), 303)
    answer.set_cookie(
        COOKIE, key.strip(), httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


@router.get(SIGN_OUT)
async def sign_out() -> Response:
    """Forget the key."""
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _inside(to: str) -> str:
    """Return an address of this service, whatever was asked for.

    >>> _inside("/?user=7"), _inside("//elsewhere"), _inside("https://elsewhere")
    ('/?user=7', '/', '/')
    """
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if safe else "/"
