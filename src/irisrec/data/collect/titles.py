"""MovieLens titles: moved articles, alternative titles, years, and whether two titles name one film."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

ARTICLES = frozenset(
    {
        "the",
        "a",
        "an",
        "la",
        "le",
        "les",
        "l'",
        "un",
        "une",
        "il",
        "lo",
        "i",
        "gli",
        "una",
        "el",
        "los",
        "las",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "de",
        "het",
        "een",
        "den",
        "det",
        "en",
        "ett",
        "o",
        "os",
        "as",
        "um",
        "uma",
    }
)
YEAR = re.compile(r"\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$")
GROUP = re.compile(r"\s*\(([^()]*)\)\s*$")
NUMBER = re.compile(r"\b(?:\d+|[ivx]+)\b")
KNOWN_AS = re.compile(r"^(?:a\.?\s?k\.?\s?a\.?[:\s]|also known as)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Film:
    """A MovieLens title taken apart.

    Attributes:
        names: the title as people say it, then the alternative titles, most trusted first, without repetition.
        year: year of release, None where the title has none.
    """

    names: tuple[str, ...]
    year: int | None

    @classmethod
    def parse(cls, title: str) -> Film:
        """Take a title apart.

        >>> Film.parse("City of Lost Children, The (Cité des enfants perdus, La) (1995)")
        Film(names=('The City of Lost Children', 'La Cité des enfants perdus'), year=1995)
        >>> Film.parse("Seven (a.k.a. Se7en) (1995)").names
        ('Seven', 'Se7en')
        """
        rest, year = title.strip(), None
        if match := YEAR.search(rest):
            rest, year = rest[: match.start()].rstrip(), int(match[1])
        groups: list[str] = []
        while (match := GROUP.search(rest)) and match.start() > 0:
            groups.insert(0, match[1].strip())
            rest = rest[: match.start()]
        others = [KNOWN_AS.sub("", group) for group in groups]
        names = [with_article_first(name.strip()) for name in (rest, *others) if name.strip()]
        return cls(tuple(dict.fromkeys(names)), year)


def with_article_first(title: str) -> str:
    """Move an article from behind the last comma to the front.

    >>> with_article_first("Matrix, The"), with_article_first("Avventura, L'"), with_article_first("Me, Myself")
    ('The Matrix', "L'Avventura", 'Me, Myself')
    """
    name, comma, article = title.rpartition(",")
    article = article.strip()
    if not comma or article.lower() not in ARTICLES:
        return title
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{name.strip()}"


def same_title(left: str, right: str) -> bool:
    """Whether two titles name one film, whatever their accents, articles, punctuation and ampersands.

    >>> same_title("The Léon & I", "Leon and I"), same_title("Heat", "White Heat")
    (True, False)
    """
    a, b = _plain(left), _plain(right)
    if not a or not b:
        return left.strip().casefold() == right.strip().casefold()
    if set(NUMBER.findall(a)) != set(NUMBER.findall(b)):
        return False  # a sequel is another film, however alike the titles
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.85


def near_year(year: int | None, answered: str, apart: int = 1) -> bool:
    """Whether an answered year, such as ``1995`` or ``1995–1998``, lies within a year of ours, or ours is unknown."""
    match = re.match(r"\d{4}", answered)
    return year is None or (match is not None and abs(int(match[0]) - year) <= apart)


def _plain(title: str) -> str:
    letters = unicodedata.normalize("NFKD", title.casefold().replace("&", " and "))
    words = re.sub(r"[^\w\s']", " ", "".join(c for c in letters if not unicodedata.combining(c)))
    kept = re.sub(r"\bl'", "", words).replace("'", "").split()
    while len(kept) > 1 and kept[0] in ARTICLES:
        kept = kept[1:]
    return " ".join(kept)
