"""The run's own report, as it lies in the run folder."""

from __future__ import annotations

from pathlib import Path

REPORT = "report.html"
# the report is whole in itself: its own styles and pictures, no script, nothing else
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-same-origin"
)
_BACK = b'<body>\n<p class="kicker"><a href="/">\xe2\x86\x90 Recommendations</a></p>'


def read_report(folder: Path) -> bytes | None:
    """Return the report of a run with a way back to the page; None where there is none.

    A link to somewhere else is not followed.
    """
    path = folder / REPORT
    if path.is_symlink() or not path.is_file():
        return None
    return path.read_bytes().replace(b"<body>", _BACK, 1)
