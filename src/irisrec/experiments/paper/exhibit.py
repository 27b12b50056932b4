"""A table or figure of the paper, done again: words, rows and a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from irisrec.experiments.markdown import bullets
from irisrec.experiments.paper.numbers import source
from irisrec.files import atomic_path, write_text


@dataclass(frozen=True)
class Exhibit:
    """One table or figure on one data set.

    Attributes:
        stem: of its three files.
        title: with the paper's number of it.
        body: Markdown between the picture and the notes: the tables themselves.
        notes: {heading: sentences}; headings without sentences are left out.
        rows: what becomes the CSV file.
        draw: draws the picture to a path.
    """

    stem: str
    title: str
    body: str
    notes: dict[str, Sequence[str]]
    rows: pl.DataFrame
    draw: Callable[[Path], None]

    def save(self, folder: Path) -> list[Path]:
        """Write ``STEM.md``, ``STEM.csv`` and ``STEM.png``; return their paths, Markdown last."""
        markdown, table, picture = (folder / f"{self.stem}.{suffix}" for suffix in ("md", "csv", "png"))
        with atomic_path(table) as temporary:
            self.rows.write_csv(temporary)
        with atomic_path(picture) as temporary:
            self.draw(temporary)
        write_text(markdown, self.markdown(picture.name))
        return [table, picture, markdown]

    def markdown(self, picture: str) -> str:
        """Return the page around a picture."""
        parts = [f"# {self.title}", f"![{self.title}]({picture})", self.body]
        for heading, sentences in self.notes.items():
            if sentences:
                parts += [f"## {heading}", bullets(sentences)]
        parts.append(f"The paper: {source()}.")
        return "\n\n".join(parts) + "\n"
