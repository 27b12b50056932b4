"""The answers so far: which film each movie has, why it has none, or which question is open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from irisrec.data.collect.films import Movie, Question, mismatch, questions
from irisrec.data.collect.journal import Journal


@dataclass(frozen=True)
class Match:
    """What the journal says of one movie: its film, or why there is none, or that a question is open."""

    record: dict[str, Any] | None = None
    reason: str | None = None
    open: Question | None = None


def match_in(journal: Journal, movie: Movie) -> Match:
    """Find a movie's film among the answers so far, or the next question to ask."""
    reason = "OMDb does not know the title"
    for question in questions(movie):
        if key_of(question) not in journal:
            return Match(open=question)
        record = journal[key_of(question)]
        if record is None:
            continue
        wrong = mismatch(movie, question, record)
        if wrong is None:
            return Match(record=record)
        reason = wrong
    return Match(reason=reason)


def key_of(question: Question) -> str:
    """Return the journal key of a question."""
    return json.dumps(question, sort_keys=True, ensure_ascii=False)


def value_of(match: Match, name: str) -> str | None:
    """A field of the film; OMDb writes N/A where it has nothing."""
    value = (match.record or {}).get(name)
    return value if value and value != "N/A" else None
