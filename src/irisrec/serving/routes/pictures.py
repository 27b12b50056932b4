"""Pictures of catalog items."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from irisrec.serving.routes.shared import TheService, errors
from irisrec.serving.schemas.asked import VISIBLE

router = APIRouter(tags=["items"])


@router.get("/pictures/{item_id:path}", response_class=Response, responses=errors(404))
async def picture(
    item_id: Annotated[str, Path(min_length=1, max_length=256, pattern=VISIBLE)],
    service: TheService,
    size: Annotated[
        Literal["96", "200", "400"], Query(description="Longest side in pixels, at most.")
    ] = "200",
) -> Response:
    """Return the picture of a catalog item as WebP; nothing but pictures that the catalog names is ever read."""
    served = service.served
    data = await service.picture(served, served.items.parse(item_id), int(size))
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(data, media_type="image/webp", headers=headers)
