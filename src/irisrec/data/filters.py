"""Filters: what is left out of the data on purpose, each counted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from irisrec.settings import Settings

Value = str | int | float | bool


class Filters(Settings):
    """What to leave out of the data; every filter counts what it removed.

    Attributes:
        min_user_interactions: users with fewer are left out (repeated until stable, together with the next).
        min_item_interactions: items with fewer are left out.
        min_rating: interactions with a lower rating are left out; a null rating is kept.
        catalog: keep the items whose catalog column has the given value, or one of the given values.
        unseen_items: what becomes of catalog items without any interaction.
    """

    min_user_interactions: int = Field(default=1, ge=1)
    min_item_interactions: int = Field(default=1, ge=1)
    min_rating: float | None = None
    catalog: dict[str, Value | list[Value]] = Field(default_factory=dict)
    unseen_items: Literal["drop", "keep"] = "drop"

    @field_validator("catalog")
    @classmethod
    def _some_values(cls, wanted: dict[str, Value | list[Value]]) -> dict[str, Value | list[Value]]:
        for column, values in wanted.items():
            if values == []:
                raise ValueError(f"no value of column {column!r} is given, so no item could be kept")
        return wanted
