"""For machines that watch the service; the only routes that never ask for a key."""

from __future__ import annotations

from fastapi import APIRouter

from irisrec.serving.routes.shared import TheService, errors
from irisrec.serving.schemas.answers import Health, Ready

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
