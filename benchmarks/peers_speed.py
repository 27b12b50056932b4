"""How fast the same models are here and at RecBole, Cornac and implicit: side by side, same data, same machine.

    python benchmarks/peers_speed.py                          MovieLens-1M's shape, everybody, three rounds
    python benchmarks/peers_speed.py --minutes 5              goes on another time with the same command
    python benchmarks/peers_speed.py --scale 0.2 --rounds 1   a fifth of its users and items

The peers' environments are made at the first call. Each method runs in a process of its own, one after the other, round
after round, so that a disturbance meets all. A peer trains for a limited time, and an epoch is extrapolated from the
median step; it judges and recommends for some users, and the time for all is extrapolated. Ours train whole epochs and
serve everybody. Every measurement is kept in --out as soon as it is there and never made twice; the table (table.md)
and the picture (speed.png) are written there from all that is complete.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from peers.environments import MissingPeerError, python_of
from peers.speed_table import draw, table_of
from peers.speed_task import METHODS, Measurement, prepare

from irisrec.files import cache_folder


def missing(options: argparse.Namespace) -> Iterator[Measurement]:
    """Yield what was not measured yet, round after round."""
    for number in range(options.rounds):
        for name in METHODS:
            one = Measurement(name, number, options.scale, options.seconds)
            if (not options.only or name in options.only) and one.find(options.out) is None:
                yield one


def main() -> None:
    """Measure what is missing, then write table and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of users and items; interactions go with its square"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=15, help="that a peer trains for at most, four steps at least"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a method is left out")
    parser.add_argument("--minutes", type=float, default=60, help="after which no measurement begins")
    parser.add_argument("--only", nargs="+", choices=METHODS)
    parser.add_argument("--out", type=Path, default=cache_folder() / "peers" / "speed")
    options = parser.parse_args()
    begun = time.perf_counter()
    task = prepare(options.out, options.scale)
    for one in missing(options):
        if time.perf_counter() - begun > 60 * options.minutes:
            print("the time is over; the same command goes on", file=sys.stderr)
            break
        try:
            python = Path(sys.executable)
            if one.peer:
                python = python_of(one.peer, cache_folder(), options.limit)
            found = one.make(options.out, task, python, options.limit)
            print(f"{one.name}, round {one.number + 1}: {found}", file=sys.stderr)
        except (MissingPeerError, RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"{one.name} is left out of round {one.number + 1}: {error}")
    found = {
        name: [
            values
            for number in range(options.rounds)
            if (values := Measurement(name, number, options.scale, options.seconds).find(options.out))
        ]
        for name in METHODS
    }
    words = table_of({name: values for name, values in found.items() if values}, task["shape"][0])
    (options.out / "table.md").write_text(words + "\n", encoding="utf-8")
    draw({name: values for name, values in found.items() if values}, options.out / "speed.png")
    print(words)


if __name__ == "__main__":
    main()
