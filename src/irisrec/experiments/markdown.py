"""Markdown that people also read unrendered."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], *rows: Sequence[str]) -> str:
    r"""Lay out a table; cells may hold anything but line breaks.

    >>> print(table(["method", "HR@10"], ["a|b", ".5"]))
    | method | HR@10 |
    | --- | --- |
    | a\|b | .5 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def bullets(sentences: Sequence[str]) -> str:
    """Lay out a list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def fold(summary: str, body: str) -> str:
    """Lay out what a reader opens with a click, where the page is rendered."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"
