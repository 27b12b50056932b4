"""From views to HTML, and the files that the HTML names."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import Headers

from irisrec.look.numbers import percent, plain, signed

KINDS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


def wants_page(headers: Headers) -> bool:
    """Whether a browser asks for something to look at, not a program for something to read.

    >>> wants_page(Headers({"accept": "text/html,*/*;q=0.8"})), wants_page(Headers({"accept": "*/*"}))
    (True, False)
    """
    return "text/html" in headers.get("accept", "")


@cache
def static_file(name: str) -> bytes:
    """Return a file of the page; the style sheet begins with the colours and letters that reports have, too."""
    here = files("irisrec.serving.page") / "static" / name
    if name == "page.css":
        return (files("irisrec.look") / "styles" / "tokens.css").read_bytes() + here.read_bytes()
    return here.read_bytes()


@cache
def static_url(name: str) -> str:
    """Return the address of a file, another one whenever its content is another."""
    return f"/static/{name}?v={hashlib.sha256(static_file(name)).hexdigest()[:12]}"


def render(request: Request, template: str, status: int = 200, **view: Any) -> HTMLResponse:
    """Render a template around which every page has the same frame."""
    served = request.app.state.service.served
    frame = {
        "run": served.folder.name,
        "model": type(served.recommender.model).__name__,
        "static": static_url,
        "keys": bool(request.app.state.service.settings.keys),
    }
    return HTMLResponse(_environment().get_template(template).render(**frame, **view), status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("irisrec.serving.page", "templates"),
        autoescape=True,  # titles, texts and ids come from other people's data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"signed": signed, "plain": plain, "percent": percent, "count": "{:,}".format}
    return environment
