"""Options of the built-in shop."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from irisrec.data.planted.patterns import STYLES
from irisrec.data.planted.silhouettes import KINDS
from irisrec.data.planted.themes import THEMES
from irisrec.settings import Settings


class ShopOptions(Settings):
    """How large the generated shop is, and how hard its causes are to find.

    Attributes:
        seed: of everything: the same options give the same shop, pictures included.
        n_users, n_items: size.
        n_styles, n_themes, n_kinds: interests seen only in the picture, told only in the text, and known from both.
        min_interests, max_interests: how many interests a user has.
        mean_interactions: mean interactions per user; nobody has fewer than five.
        noise: share of interactions without any cause.
        popularity: exponent of the long tail; the item of popularity rank r is drawn in proportion to r to the
            power of minus this, within an interest as well as in the noise.
    """

    seed: int = Field(0, ge=0)
    n_users: int = Field(3000, ge=1)
    n_items: int = Field(600, ge=20, le=20_000)  # no more distinct texts than that are sure to be found
    n_styles: int = Field(len(STYLES), ge=1, le=len(STYLES))
    n_themes: int = Field(len(THEMES), ge=1, le=len(THEMES))
    n_kinds: int = Field(len(KINDS), ge=1, le=len(KINDS))
    # Few interests per user, so that a history repeats them; more than one, so that no history has a single cause.
    min_interests: int = Field(2, ge=1)
    max_interests: int = Field(4, ge=1)
    # With 11, ids were well ahead of content; with 8 and more interests per user, little was left to be found.
    mean_interactions: float = Field(9.0, ge=5)
    noise: float = Field(0.15, ge=0, le=1)
    # At .7, popularity alone was ahead of what pictures or texts tell alone.
    popularity: float = Field(0.4, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.min_interests <= self.max_interests <= self.n_interests:
            raise ValueError(
                f"min_interests <= max_interests <= {self.n_interests} (the number of interests) expected, "
                f"got {self.min_interests} and {self.max_interests}"
            )
        return self

    @property
    def n_interests(self) -> int:
        """All interests together: styles, then themes, then kinds."""
        return self.n_styles + self.n_themes + self.n_kinds
