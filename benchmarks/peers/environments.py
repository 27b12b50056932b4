"""The peers' own environments, made once in a cache folder, so that what they depend on touches nothing here."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers.timing import Took

from irisrec.errors import IrisrecError
from irisrec.lock import only_one

HERE = Path(__file__).parent
DONE = "installed.txt"  # what an environment holds, written last


@dataclass(frozen=True)
class Wanted:
    """What is installed for a peer.

    Attributes:
        packages: with what they ask for.
        alone: without, either because it is here already or because only other parts of the peer need it.
    """

    packages: tuple[str, ...]
    alone: tuple[str, ...]


WANTED = {
    "cornac": Wanted((), ("cornac>=2.3", "powerlaw", "mpmath", "tqdm")),
    "cornac-serving": Wanted(("flask",), ("cornac>=2.3", "powerlaw", "mpmath", "tqdm")),
    # RecBole 1.2.1 asks for names that NumPy and SciPy have dropped since
    "recbole": Wanted(
        ("numpy<2", "scipy<1.13", "pandas<3", "scikit-learn", "pyyaml", "tensorboard", "texttable", "tqdm"),
        ("recbole==1.2.1", "colorlog==4.7.2", "colorama"),
    ),
}


class MissingPeerError(IrisrecError):
    """A peer that cannot be installed or run here; the message says why."""


def python_of(peer: str, cache: Path, limit: float) -> Path:
    """Return the Python of a peer's environment; make it where it is not there, within ``limit`` seconds a step.

    What a peer is not given an own version of, PyTorch above all, it finds in the environment that this runs in.
    """
    if python := python_if_there(peer, cache):
        return python
    folder = _folder(peer, cache)
    print(f"installing {peer} into {folder}", file=sys.stderr)
    with only_one(folder.parent, "installing into", MissingPeerError):
        _install(peer, folder, limit)
    return _python(folder)


def python_if_there(peer: str, cache: Path) -> Path | None:
    """Return the Python of a peer's environment, None where it was not made yet or holds something else."""
    folder = _folder(peer, cache)
    done = folder / DONE
    if not done.exists() or done.read_text() != repr(WANTED[peer]):
        return None
    _stand_beside(folder)
    return _python(folder)


def _folder(peer: str, cache: Path) -> Path:
    return (cache / "peers" / peer).absolute()


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _install(peer: str, folder: Path, limit: float) -> None:
    python = _python(folder)
    install = [str(python), "-m", "pip", "install", "-q"]
    what, wanted = f"{peer} cannot be installed", WANTED[peer]
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], limit, what)
    if wanted.packages:
        _run([*install, *wanted.packages], limit, what)
    _run([*install, "--no-deps", *wanted.alone], limit, what)
    _stand_beside(folder)
    (folder / DONE).write_text(repr(wanted))


def _stand_beside(folder: Path) -> None:
    """Let an environment find the packages of this one, which may be another than the one that it was made in."""
    (own,) = folder.glob("lib/python*/site-packages")
    beside = "\n".join(site.getsitepackages()) + "\n"
    path = own / "beside.pth"
    if not path.exists() or path.read_text() != beside:
        path.write_text(beside)


def version_of(peer: str, python: Path) -> str:
    """Return a peer's version."""
    command = [str(python), "-c", f"from importlib.metadata import version; print(version({peer!r}))"]
    return _run(command, 60, f"{peer} cannot be read").strip()


def scores_of(
    peer: str, python: Path, task: dict[str, Any], arrays: dict[str, np.ndarray | None], limit: float
) -> tuple[np.ndarray, Took]:
    """Fit a peer's model within ``limit`` seconds; return its scores (n_users, N) and how long training took.

    Arrays go by files.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder) / f"{name}.npy") for name in ("scores", *arrays)}
        took = Path(folder) / "took.json"
        for name, values in arrays.items():
            if values is None:
                paths[name] = ""
            else:
                np.save(paths[name], values)
        told = Path(folder) / "task.json"
        told.write_text(json.dumps({**task, **paths, "took": str(took)}))
        command = [str(python), str(HERE / f"in_{peer}.py"), str(told)]
        print(_run(command, limit, f"{peer} cannot fit {task['model']}", folder), end="", file=sys.stderr)
        return np.load(paths["scores"]), Took(**json.loads(took.read_text()))


def _run(command: list[str], limit: float, what: str, folder: str | None = None) -> str:
    """Run in a folder, which may be littered, and return what was printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, env=environment, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise MissingPeerError(f"{what}: not done after {limit:.0f} s") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise MissingPeerError(f"{what}: {last}")
    return done.stdout
