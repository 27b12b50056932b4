"""What became of the picture of every item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import polars as pl

from irisrec.data.collect.journal import Journal
from irisrec.errors import count_of
from irisrec.ids import Id
from irisrec.notes import Note


@dataclass(frozen=True)
class PictureReport:
    """What became of every item.

    Attributes:
        frame: one row per item: ``item_id``, ``picture`` (path relative to the folder, null where there is none),
            ``url``, ``status`` (fetched, kept or failed), ``kind`` and ``reason`` of a failure.
        notes: counts by kind of failure, and what was odd in the table.
    """

    frame: pl.DataFrame
    notes: tuple[Note, ...]

    @property
    def coverage(self) -> float:
        """Share of the items that have a picture now."""
        return float(self.frame["picture"].is_not_null().mean() or 0.0)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        status = dict(self.frame["status"].value_counts().iter_rows())
        notes = [note.to_json() for note in self.notes]
        return {"items": len(self.frame), "coverage": self.coverage, "status": status, "notes": notes}

    def __str__(self) -> str:
        counts = dict(self.frame["status"].value_counts().iter_rows())
        have = count_of(counts.get("fetched", 0) + counts.get("kept", 0), "item")
        return (
            f"{have} of {len(self.frame):,} with a picture ({self.coverage:.1%}): "
            f"{counts.get('fetched', 0):,} fetched now, {counts.get('kept', 0):,} were here, "
            f"{counts.get('failed', 0):,} failed"
        )


def report_on(urls: dict[Id, str], fetched: set[Id], journal: Journal, notes: list[Note]) -> PictureReport:
    """Tell what became of every item, from the journal and the items fetched in this run."""
    rows = []
    for id, url in urls.items():
        known = journal.get(key_of(id)) or {
            "status": "failed",
            "kind": "not_asked",
            "reason": "not asked yet",
        }
        fine = known["status"] == "ok"
        rows.append(
            {
                "item_id": id,
                "picture": known["file"] if fine else None,
                "url": url or None,
                "status": ("fetched" if id in fetched else "kept") if fine else "failed",
                "kind": None if fine else known["kind"] if url else "no_address",
                "reason": None if fine else known["reason"] if url else "the table has no address",
            }
        )
    strings = dict.fromkeys(("picture", "url", "status", "kind", "reason"), pl.String)
    frame = pl.DataFrame(rows, schema_overrides=strings, strict=False)
    kinds = Counter(frame["kind"].drop_nulls())
    for kind, count in kinds.most_common():
        examples = frame.filter(pl.col("kind") == kind)["item_id"].head(3).to_list()
        sentence = f"{count_of(count, 'item')} without a picture: {kind.replace('_', ' ')}"
        notes.append(Note.of(f"picture_{kind}", count, sentence, examples, warning=True))
    return PictureReport(frame, tuple(notes))


def key_of(id: Id) -> str:
    """Return the journal key of an item; 7 and "7" are different items."""
    return f"{'i' if isinstance(id, int) else 's'}:{id}"
