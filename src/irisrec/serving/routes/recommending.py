"""Lists, similar items and explanations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from irisrec.recommendation.results import Recommendation
from irisrec.recommendation.rules import LEARNED
from irisrec.recommendation.words import Wording
from irisrec.serving.people import Person
from irisrec.serving.routes.shared import TheService, at_most, errors
from irisrec.serving.schemas import answers
from irisrec.serving.schemas.asked import VISIBLE, BatchAsked, ExplainAsked, Name, RecommendAsked, Whom
from irisrec.serving.served import Served
from irisrec.serving.service import Service, Wanted

router = APIRouter(tags=["recommending"])


@router.post("/recommend", response_model=answers.Recommendations, responses=errors(404, 413))
async def recommend(asked: RecommendAsked, service: TheService) -> JSONResponse:
    """Recommend items to a user or to anybody with a history, and say which history items speak for each."""
    served = service.served
    wanted = _wanted(asked, service)
    person = await _person(asked, served, service)
    found = await service.recommend(served, person.asked, wanted)
    return JSONResponse(_as_json(found, person, service.wording))


@router.post("/recommend/batch", response_model=answers.Batch, responses=errors(404, 413))
async def recommend_batch(asked: BatchAsked, service: TheService) -> JSONResponse:
    """Recommend items to several people; an error with one of them is an error of all."""
    served = service.served
    at_most("people", len(asked.people), service.settings.limits.batch)
    wanted = _wanted(asked, service)
    people = [await _person(one, served, service) for one in asked.people]
    lists = await service.recommend_many(served, [person.asked for person in people], wanted)
    found = [_as_json(items, person, service.wording) for items, person in zip(lists, people, strict=True)]
    return JSONResponse({"lists": found})


@router.get("/similar/{item_id:path}", response_model=answers.Similar, responses=errors(404))
async def similar(
    item_id: Annotated[str, Path(min_length=1, max_length=256, pattern=VISIBLE)],
    service: TheService,
    k: Annotated[int, Query(ge=1, le=1000)] = 10,
    by: Annotated[Name, Query(description="learned, relevance, or a modality such as image.")] = LEARNED,
) -> JSONResponse:
    """Return the items most similar to an item."""
    served = service.served
    at_most("k", k, service.settings.limits.k)
    id = served.items.parse(item_id)
    found = await service.similar(served, id, k, by)
    return JSONResponse({"item_id": id, "by": by, "items": [item.to_json() for item in found]})


@router.post("/explain", response_model=answers.Explanation, responses=errors(404, 413))
async def explain(asked: ExplainAsked, service: TheService) -> JSONResponse:
    """Say why an item is recommended or not, what speaks for it and against it, and what would be without that."""
    served = service.served
    _check(asked.k, asked.reasons, service)
    person = await _person(asked, served, service)
    found = await service.explain(served, person.asked, asked.item_id, asked.k, asked.reasons)
    return JSONResponse(found.to_json() | {"words": found.in_words(service.wording)})


def _check(k: int, reasons: int, service: Service) -> None:
    at_most("k", k, service.settings.limits.k)
    at_most("reasons", reasons, service.settings.limits.reasons)


def _wanted(asked: RecommendAsked | BatchAsked, service: Service) -> Wanted:
    _check(asked.k, asked.reasons, service)
    return Wanted(asked.k, asked.reasons, asked.rules.rules())


async def _person(asked: Whom, served: Served, service: Service) -> Person:
    at_most("the length of a history", len(asked.history or ()), service.settings.limits.history)
    return await service.person(served, asked.user_id, asked.given(), asked.half_life)


def _as_json(found: list[Recommendation], person: Person, wording: Wording) -> dict[str, Any]:
    return {
        "items": [item.to_json() | {"words": item.in_words(wording)} for item in found],
        "n_history": len(person.asked.items),
        "n_left_out": person.n_left_out,
    }
