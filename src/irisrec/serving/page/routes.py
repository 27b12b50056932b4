"""Addresses of the page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from irisrec.errors import DataError
from irisrec.serving.errors import NotFoundError
from irisrec.serving.page.home import home
from irisrec.serving.page.item import item_view
from irisrec.serving.page.newcomer import Draft, newcomer
from irisrec.serving.page.rendering import KINDS, render, static_file
from irisrec.serving.page.report import POLICY, read_report
from irisrec.serving.page.signing import SIGN_IN, SIGN_OUT
from irisrec.serving.page.state import State
from irisrec.serving.routes.shared import TheService
from irisrec.serving.schemas.asked import VISIBLE

router = APIRouter(include_in_schema=False)
NEW_ITEM = "/new-item"
OPEN = frozenset({SIGN_IN, SIGN_OUT, *(f"/static/{name}" for name in KINDS)})


@router.get("/")
async def first(request: Request, service: TheService) -> HTMLResponse:
    """Show recommendations, or ask for whom."""
    state = State.read(request.query_params)
    view = await home(service, service.served, state)
    return render(request, "home.html", 422 if view.problem else 200, view=view, state=state)


@router.get("/item/{item_id:path}")
async def item(
    item_id: Annotated[str, Path(min_length=1, max_length=256, pattern=VISIBLE)],
    request: Request,
    service: TheService,
) -> HTMLResponse:
    """Show an item and what is like it."""
    state = State.read(request.query_params)
    view = await item_view(service, service.served, state, item_id)
    return render(request, "item.html", view=view, state=state)


@router.get(NEW_ITEM)
async def ask_for_item(request: Request, service: TheService) -> HTMLResponse:
    """Ask for a picture or a text of a new item."""
    state = State.read(request.query_params)
    view = await newcomer(service, service.served, state, None)
    return render(request, "new_item.html", view=view, state=state)


@router.post(NEW_ITEM)
async def try_item(
    request: Request,
    service: TheService,
    title: Annotated[str, Form(max_length=500)] = "",
    text: Annotated[str, Form(max_length=20_000)] = "",
    picture: Annotated[UploadFile | None, File()] = None,
) -> HTMLResponse:
    """Show what a new item would be recommended for; it is kept nowhere."""
    state = State.read(request.query_params)
    most = service.settings.limits.picture_bytes
    data = b"" if picture is None else await picture.read(most + 1)
    if len(data) > most:
        raise DataError(f"a picture may have at most {most:,} bytes here")
    view = await newcomer(service, service.served, state, Draft(title, text, data or None))
    return render(request, "new_item.html", 422 if view.problem else 200, view=view, state=state)


@router.get("/report")
async def report(request: Request, service: TheService) -> Response:
    """Show the report of the run."""
    folder = service.served.folder
    found = await service.compute("report", lambda: read_report(folder))
    if found is None:
        return render(request, "no_report.html", 404, state=None)
    return HTMLResponse(found, headers={"Content-Security-Policy": POLICY})


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Return a file of the page."""
    if name not in KINDS:
        raise NotFoundError(f"the page has no file {name!r}")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(static_file(name), media_type=KINDS[name], headers=headers)
