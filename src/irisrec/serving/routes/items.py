"""New items."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field, Json

from irisrec.errors import DataError
from irisrec.serving.routes.shared import TheService, errors
from irisrec.serving.schemas.answers import Added
from irisrec.serving.schemas.asked import Name
from irisrec.serving.store.items import AddedItem

router = APIRouter(tags=["items"])
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Value = str | int | _Number | bool | list[str] | None


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Added, "description": "Sent before."},
    **errors(409, 413, 507),
}


class ItemAsked(BaseModel):
    """A new item, as a form; at least one of picture, text and vectors, by which it is known."""

    model_config = ConfigDict(extra="forbid")

    item_id: Name
    title: Annotated[str, Field(max_length=500)] | None = None
    text: Annotated[str, Field(max_length=20_000)] | None = None
    picture: UploadFile | None = Field(default=None, description="JPEG, PNG, WebP, GIF, BMP or TIFF.")
    columns: Json[dict[str, _Value]] = Field(
        default={}, description="JSON: values of other columns, for rules."
    )
    vectors: Json[dict[str, list[_Number]]] = Field(
        default={}, description="JSON: {modality: its ready vector}."
    )


@router.post("/items", status_code=201, responses=_ANSWERS)
async def add(
    asked: Annotated[ItemAsked, Form(media_type="multipart/form-data")],
    service: TheService,
    response: Response,
) -> Added:
    """Add an item; it is recommended at once, by what the model has learned of content.

    The answer comes when it is on the disk; every later start, run and replica has it. An item that is sent again
    is kept once, another one of the same id is refused.
    """
    served = service.served
    item = AddedItem(
        served.items.parse(asked.item_id),
        asked.title,
        asked.text,
        await _bytes(asked.picture, service.settings.limits.picture_bytes),
        asked.vectors,
        asked.columns,
    )
    is_new = await service.add_item(item)
    if not is_new:
        response.status_code = 200
    return Added(item_id=item.item_id, title=asked.title or str(item.item_id), is_new=is_new)


async def _bytes(picture: UploadFile | None, most: int) -> bytes | None:
    if picture is None:
        return None
    data = await picture.read(most + 1)
    if len(data) > most:
        raise DataError(f"a picture may have at most {most:,} bytes here")
    return data
