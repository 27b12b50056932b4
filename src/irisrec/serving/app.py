"""The app: routes, and the layers that every request passes.

A router is added to `ROUTERS`. Its routes get the service by `irisrec.serving.routes.shared.TheService`, take
``service.served`` once per request, and ask the service's coroutines, so that nothing heavy runs on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from irisrec import __version__
from irisrec.serving.access import Gate
from irisrec.serving.body import BodyLimit
from irisrec.serving.handlers import add_handlers
from irisrec.serving.headers import SecurityHeaders
from irisrec.serving.observing import Observing
from irisrec.serving.page import routes as page
from irisrec.serving.page import signing
from irisrec.serving.page.trouble import ErrorsAsPages
from irisrec.serving.routes import items, operating, people, pictures, recommending, watching
from irisrec.serving.routes.shared import KEY
from irisrec.serving.service import Service

ROUTERS = (
    recommending.router,
    people.router,
    items.router,
    pictures.router,
    operating.router,
    page.router,
    signing.router,
)
OPEN_PATHS = page.OPEN  # need no key: where one signs in, and what that page looks like


def create_app(service: Service) -> FastAPI:
    """Return the app of a service, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching_items = (
            asyncio.create_task(service.watch_items()) if service.settings.items_seconds else None
        )
        yield
        if watching_items:
            watching_items.cancel()
        service.close()

    limits = service.settings.limits
    app = FastAPI(
        title="irisrec",
        version=__version__,
        description="Explainable multimodal top-N recommendation: ranked items, and the exact share of each history "
        "item in every score.",
        lifespan=lifespan,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.include_router(watching.router)
    for router in ROUTERS:
        app.include_router(router, dependencies=[KEY] if service.settings.keys else [])
    add_handlers(app)
    # the last one added is the outermost
    with_picture = limits.body_bytes + limits.picture_bytes
    larger = {"/items": with_picture, page.NEW_ITEM: with_picture}
    app.add_middleware(BodyLimit, most=limits.body_bytes, larger=larger)
    app.add_middleware(Gate, settings=service.settings, opened=OPEN_PATHS)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observing, metrics=service.metrics)
    app.add_middleware(ErrorsAsPages)
    return app
