"""Which code, which packages and which machine made a run."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import torch

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


def machine() -> dict[str, Any]:
    """Return what of the machine decides about time and memory: processor, cores, GPU, system; never its name."""
    found = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # another system
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _requirements() -> list[str]:
    try:
        return [line for line in requires("irisrec") or () if "extra == 'dev'" not in line.replace('"', "'")]
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return []
