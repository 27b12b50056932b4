"""Where the real data lie: IRISREC_REAL_DATA, or shared/data beside the checkout."""

import os
from pathlib import Path

import pytest


def real_data(name: str) -> Path:
    """Return the folder of a real data set; skip the test, saying why, where it is not there."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("IRISREC_REAL_DATA") or beside) / name
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set IRISREC_REAL_DATA")
    return folder
