"""How long a command takes from nothing: Python's start, imports, and for `recommend` loading a saved run.

    python benchmarks/startup.py                 trains the built-in shop first
    python benchmarks/startup.py --run RUN       a run of your own
    python benchmarks/startup.py --imports       and which imports took longest

Both wall-clock seconds and the processors' seconds are printed: the latter say what a busy machine would do when idle.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

COMMAND = [sys.executable, "-c", "from irisrec.cli.main import command; command()"]
GOALS = {"--help": 0.3, "recommend": 2.0}


def run_once(arguments: list[str], environment: dict[str, str] | None = None) -> tuple[float, float, str]:
    """Return wall-clock and processor seconds, and what was written to the error stream."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True, env=environment)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stderr


def slowest_imports(arguments: list[str], n: int = 12) -> list[str]:
    """Return the modules that took longest by themselves, those imported inside left out."""
    lines = run_once(arguments, {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})[2].splitlines()
    parts = [
        line.removeprefix("import time:").split("|") for line in lines if line.startswith("import time:")
    ]
    took = [(int(own), name.strip()) for own, _, name in parts if own.strip().isdigit()]
    return [f"{own / 1e3:8.1f} ms  {name}" for own, name in sorted(took, reverse=True)[:n]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = options.run or Path(folder) / "shop"
        if options.run is None:
            config = Path(__file__).parent.parent / "configs" / "shop.toml"
            data = f"data.root={folder}/shop-data"
            run_once(["train", str(config), "--out", str(run), "--set", "training.epochs=1", "--set", data])
        user = str(pl.read_parquet(run / "users.parquet")["user_id"][0])
        commands = {"--help": ["--help"], "recommend": ["recommend", str(run), "--user", user]}
        print(f"{'command':14}{'median s':>10}{'least':>8}{'most':>8}{'processor s':>13}{'goal':>7}")
        for name, arguments in commands.items():
            run_once(arguments)
            rounds = [run_once(arguments) for _ in range(options.rounds)]
            walls, processors = ([round_[at] for round_ in rounds] for at in (0, 1))
            print(f"{name:14}{statistics.median(walls):10.2f}{min(walls):8.2f}{max(walls):8.2f}"
                  f"{statistics.median(processors):13.2f}{GOALS[name]:7.1f}", flush=True)  # fmt: skip
            if options.imports:
                print("\n".join(slowest_imports(arguments)))


if __name__ == "__main__":
    main()
