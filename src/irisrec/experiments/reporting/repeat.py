"""The section on repeating a run: command, config, seed, versions, fingerprint."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from irisrec.experiments.reporting.finished import FinishedRun


@dataclass(frozen=True)
class Repeat:
    """The section: the command, (name, value) facts, and the resolved config as TOML."""

    command: str
    facts: tuple[tuple[str, str], ...]
    config: str


def repeat(run: FinishedRun) -> Repeat:
    """Say what has to be equal for equal numbers."""
    info = run.info
    versions = ", ".join(f"{name} {version}" for name, version in info.get("versions", {}).items())
    facts = {
        "seed": info.get("seed"),
        "data fingerprint": info.get("data_fingerprint"),
        "versions": versions,
        "threads": info.get("threads"),
    }
    config = shlex.quote(str(run.folder.config))
    return Repeat(
        command=f"irisrec train {config} --out NEW",
        facts=tuple((name, str(value)) for name, value in facts.items() if value not in (None, "")),
        config=run.folder.config.read_text(encoding="utf-8"),
    )
