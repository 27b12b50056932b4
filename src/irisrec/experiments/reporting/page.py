"""A page of sections, whole in itself: no other file, no script, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from irisrec.look.numbers import plain, signed


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        name: its anchor in the page.
        title: its heading.
        build: gives what the template shows as ``view``, or None where there is nothing to say.
        template: file in ``templates/sections`` without its suffix.
    """

    name: str
    title: str
    build: Callable[[Any], Any]
    template: str = "findings"


@dataclass(frozen=True)
class Figure:
    """A number worth a large print: its label, and a few words on what it is to be compared with."""

    label: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Top:
    """The top of a page.

    Attributes:
        kind: what sort of page it is.
        title, data: what it is about, and on which data.
        sentences: sizes, split and the like.
        figures: metrics, time and memory.
    """

    kind: str
    title: str
    data: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...] = ()


def render(top: Top, sections: Sequence[Section], subject: Any) -> str:
    """Return the HTML of a page on a subject; sections without anything to say are left out."""
    views = [(section, section.build(subject)) for section in sections]
    page: str = (
        _environment()
        .get_template("page.html")
        .render(top=top, sections=[(section, view) for section, view in views if view is not None])
    )
    return page


def _environment() -> Any:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("irisrec.experiments", "templates"), PackageLoader("irisrec.look", "styles")]
        ),
        autoescape=True,  # titles, ids and reasons come from other people's data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    environment.filters["plain"] = plain
    return environment
