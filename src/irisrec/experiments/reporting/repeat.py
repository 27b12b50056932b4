"""The section on repeating a run: command, config, seed, commit, packages, fingerprint, time and memory."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from irisrec.experiments.reporting.finished import FinishedRun
from irisrec.experiments.reporting.words import bytes_in_words, seconds_in_words


@dataclass(frozen=True)
class Repeat:
    """The section: the command, (name, value) facts, and the resolved config as TOML."""

    command: str
    facts: tuple[tuple[str, str], ...]
    config: str


def repeat(run: FinishedRun) -> Repeat:
    """Say what has to be equal for equal numbers, and what it took."""
    return Repeat(
        command=f"irisrec train {shlex.quote(str(run.folder.config))} --out NEW",
        facts=tuple((name, value) for name, value in facts(run.info).items() if value),
        config=run.folder.config.read_text(encoding="utf-8"),
    )


def facts(info: dict[str, Any]) -> dict[str, str]:
    """Return seed, origin, costs and packages of a run in words; empty where a run does not know."""
    packages = ", ".join(f"{name} {version}" for name, version in info.get("versions", {}).items())
    return {
        "seed": str(info.get("seed", "")),
        "commit": commit_in_words(info["commit"]) if "commit" in info else "",
        "data fingerprint": info.get("data_fingerprint") or "",
        "threads": str(info.get("threads", "")),
        "time": _time(info),
        "peak memory": bytes_in_words(info["peak_memory_bytes"]) if info.get("peak_memory_bytes") else "",
        "packages": packages,
    }


def commit_in_words(commit: dict[str, Any] | None) -> str:
    """Return the commit of irisrec, with a word on changes that were not committed."""
    if commit is None:
        return "none: not run from a checkout"
    return f"{commit['id']}{', with uncommitted changes' if commit['dirty'] else ''}"


def _time(info: dict[str, Any]) -> str:
    if not (info.get("training_seconds") and info.get("seconds")):
        return ""
    training, whole = seconds_in_words(info["training_seconds"]), seconds_in_words(info["seconds"])
    return f"{training} of training; {whole} from config to report, encoding included"
