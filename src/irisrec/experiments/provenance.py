"""Which code and which packages made a run."""

from __future__ import annotations

import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import irisrec

_SOURCE = Path(irisrec.__file__).parent


def commit(source: Path = _SOURCE) -> dict[str, Any] | None:
    """Return the commit of the checkout that ``source`` is part of, and whether files there differ from it.

    None where the code runs from no checkout: an installed package may lie inside somebody else's repository, but
    is not kept by it.
    """
    if _git(source, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head, changes = _git(source, "rev-parse", "HEAD"), _git(source, "status", "--porcelain", ".")
    return {"id": head, "dirty": bool(changes)} if head else None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it fails or is not there."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python, and of the packages that it uses, as far as they are there."""
    found = {"irisrec": irisrec.__version__, "python": platform.python_version()}
    for requirement in _requirements():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # of an extra that is not installed
    return found


def _requirements() -> list[str]:
    try:
        return [line for line in requires("irisrec") or () if "extra == 'dev'" not in line.replace('"', "'")]
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return []
