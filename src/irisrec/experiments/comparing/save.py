"""A comparison in a folder."""

from __future__ import annotations

from pathlib import Path

from irisrec.experiments.compare import Comparison
from irisrec.experiments.comparing.chart import draw
from irisrec.experiments.comparing.report import comparison_page
from irisrec.experiments.comparing.text import as_markdown
from irisrec.files import atomic_path, write_text


def save_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write ``report.html``, ``comparison.md``, ``comparison.csv``, ``slices.csv`` and ``comparison.png``.

    Returns:
        Their paths.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    markdown, picture = folder / "comparison.md", folder / "comparison.png"
    draw(comparison, picture)
    write_text(markdown, as_markdown(comparison) + f"\n![means with intervals]({picture.name})\n")
    tables = {folder / "comparison.csv": comparison.table, folder / "slices.csv": comparison.slices}
    for path, table in tables.items():
        with atomic_path(path) as temporary:
            table.write_csv(temporary)
    report = folder / "report.html"
    write_text(report, comparison_page(comparison))
    return [report, markdown, *tables, picture]
