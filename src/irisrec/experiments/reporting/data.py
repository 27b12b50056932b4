"""The section on the data: what was done to them, how far each modality reaches, what could not be encoded."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from irisrec.errors import RunError, some
from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.models.item_similarity import ItemSimilarity

SHOWN_REASONS = 12


@dataclass(frozen=True)
class Told:
    """One note: its sentence with examples, and whether a person should look."""

    sentence: str
    warning: bool


@dataclass(frozen=True)
class Coverage:
    """How many items have a modality, and which encoder (with the width of its vectors) made it."""

    modality: str
    encoder: str
    here: int
    n_items: int

    @property
    def share(self) -> float:
        """Share of the items that have it, 0 to 1."""
        return self.here / self.n_items if self.n_items else 0.0


@dataclass(frozen=True)
class Failures:
    """Items of one modality that have no vector for the same reason."""

    modality: str
    reason: str
    count: int
    examples: str


@dataclass(frozen=True)
class DataStory:
    """The section; ``more`` counts the kinds of failures beyond those listed."""

    notes: tuple[Told, ...]
    coverage: tuple[Coverage, ...]
    failures: tuple[Failures, ...]
    more: int


def data_story(run: FinishedRun) -> DataStory:
    """Tell what ``run.json`` and ``failures.jsonl`` keep about the way from raw data to vectors."""
    notes = tuple(_told(note) for note in run.info.get("notes", ()))
    failures = _failures(run)
    return DataStory(
        notes, tuple(_coverage(run)), tuple(failures[:SHOWN_REASONS]), len(failures[SHOWN_REASONS:])
    )


def _told(note: dict[str, Any]) -> Told:
    examples = note.get("examples") or ()
    sentence = note["sentence"] + (f" (for example {some(examples)})" if examples else "")
    return Told(sentence[:1].upper() + sentence[1:], bool(note.get("warning")))


def _coverage(run: FinishedRun) -> list[Coverage]:
    if not isinstance(run.model, ItemSimilarity):
        return []
    encoders: dict[str, Any] = run.info.get("encoders") or {}
    found = []
    for modality, present in run.model.present.items():
        spec = encoders.get(modality)
        encoder = f"{spec['encoder']} ({spec['dim']})" if spec else "–"
        found.append(Coverage(modality, encoder, int(present.sum()), len(present)))
    return found


def _failures(run: FinishedRun) -> list[Failures]:
    """Group the failures by modality and reason, most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[Any]] = {}
    try:
        lines = run.folder.failures.read_text(encoding="utf-8").splitlines()
        for line in lines:
            failure = json.loads(line)
            key = failure["modality"], failure["reason"]
            counts[key] += 1
            examples.setdefault(key, []).append(failure["item_id"])
    except FileNotFoundError:
        return []
    except (ValueError, KeyError) as error:
        raise RunError(f"{run.folder.failures} is damaged ({error})") from None
    return [Failures(*key, count, some(examples[key])) for key, count in counts.most_common()]
