"""For those who run the service."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from irisrec import __version__
from irisrec.serving.routes.shared import TheService, errors
from irisrec.serving.schemas.answers import Version
from irisrec.serving.schemas.asked import ReloadAsked
from irisrec.serving.served import Served

router = APIRouter(tags=["operating"])


@router.get("/metrics", response_class=Response, responses=errors())
async def metrics(service: TheService) -> Response:
    """Return counters and histograms in the text format of Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/version", responses=errors())
async def version(service: TheService) -> Version:
    """Say which run is served, and by which version."""
    return _version(service.served)


@router.post("/admin/reload", responses=errors(409))
async def reload(asked: ReloadAsked, service: TheService) -> Version:
    """Load a run and serve it from now on; where it cannot be loaded, the old one stays."""
    return _version(await service.current.reload(asked.run))


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
        n_added=len(served.added),
        n_users=len(served.known.ids),
        modalities=list(recommender.model.content_masks),
    )
