"""For those who run the service."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from irisrec import __version__
from irisrec.serving.routes.shared import KEY, TheService, errors
from irisrec.serving.schemas.answers import Health, Ready, Version
from irisrec.serving.schemas.asked import ReloadAsked
from irisrec.serving.served import Served

router = APIRouter(tags=["operating"])


@router.get("/health")
async def health() -> Health:
    """Say that the process answers."""
    return Health(status="ok")


@router.get("/ready", responses={503: errors()[503]})
async def ready(service: TheService) -> Ready:
    """Say whether requests can be served: the model is loaded and the store answers."""
    await service.in_store(service.store.ping)
    return Ready(status="ready", generation=service.served.generation)


@router.get("/metrics", dependencies=[KEY], response_class=Response, responses=errors())
async def metrics(service: TheService) -> Response:
    """Return counters and histograms in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/version", dependencies=[KEY], responses=errors())
async def version(service: TheService) -> Version:
    """Say which run is served, and by which version."""
    return _version(service.served)


@router.post("/admin/reload", dependencies=[KEY], responses=errors(409))
async def reload(asked: ReloadAsked, service: TheService) -> Version:
    """Load a run and serve it from now on; where it cannot be loaded, the old one stays."""
    return _version(await service.reload(asked.run))


def _version(served: Served) -> Version:
    recommender = served.recommender
    return Version(
        irisrec=__version__,
        run=served.folder.name,
        fingerprint=recommender.fingerprint,
        model=type(recommender.model).__name__,
        generation=served.generation,
        loaded=served.loaded.isoformat(timespec="seconds"),
        n_items=len(recommender.items),
        n_users=len(served.known.ids),
        modalities=list(recommender.model.content_masks),
    )
