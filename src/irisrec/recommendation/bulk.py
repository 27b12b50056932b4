"""Recommendations for many people into one file: in bounded memory, resumable, and atomic.

The people come in parts. Each part is a file of its own beside the output, whole or not there; a command that was
killed finds the finished ones again. At the end they become the one file, which takes its name only then.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from irisrec.errors import DataError
from irisrec.files import PARTIAL, atomic_path, read_json, write_json
from irisrec.lock import only_one
from irisrec.progress import Task, progress, say
from irisrec.recommendation.audience import Audience
from irisrec.recommendation.formats import format_of
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from irisrec.recommendation.tables import Naming

PEOPLE_PER_PART = 1024


@dataclass(frozen=True)
class Order:
    """What everybody gets; see `Recommender.recommend`."""

    k: int = 10
    n_reasons: int = 3
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class Written:
    """What a file of recommendations holds: for how many people it was made, and how many rows they got together."""

    path: Path
    n_people: int
    n_rows: int


def recommend_to_file(
    recommender: Recommender, audience: Audience, out: Path, order: Order | None = None
) -> Written:
    """Write the lists of an audience; the suffix of ``out`` names the format.

    One row per recommendation: ``user_id``, ``rank`` from 1, ``item_id``, ``title``, ``score``, ``probability`` and
    ``reasons``, in CSV four columns for each reason. A file that is there already is replaced once the new one is
    whole. A call that was killed goes on when it is repeated, and ends with the same bytes as one that was not.
    """
    writer = _Writer(recommender, audience, Path(out), order or Order())
    with only_one(writer.folder, "recommending into"):
        writer.open()
        writer.write_parts()
        return writer.join()


class _Writer:
    def __init__(self, recommender: Recommender, audience: Audience, out: Path, order: Order) -> None:
        self.recommender, self.audience, self.out, self.order = recommender, audience, out, order
        self.format = format_of(out)
        self.rules = recommender.resolved(order.rules)
        self.naming = Naming(recommender.catalog, audience.id_kind, recommender.model.is_probabilistic)
        self.n_people = len(audience)
        if not self.n_people:
            raise DataError("there is nobody to recommend to")
        self.folder = out.with_name(f".{out.name}.parts")

    def open(self) -> None:
        """Find what an earlier call with the same order has finished; what another left is removed."""
        plan = self._plan()
        try:
            # a recommender that was not loaded from files may be another one than the last time
            same = bool(plan["run"]) and read_json(self.folder / "plan.json") == plan
        except (OSError, ValueError):
            same = False
        if not same and (others := list(self._finished().values())):
            say(f"the parts in {self.folder} are of something else: starting again")
            for path in others:
                path.unlink()
        write_json(self.folder / "plan.json", plan)
        for path in self.folder.glob(PARTIAL):
            path.unlink()
        if done := len(self._finished()):
            say(f"going on: {done:,} of {-(-self.n_people // PEOPLE_PER_PART):,} parts are there")

    def write_parts(self) -> None:
        """Write the parts that are not there."""
        finished, entries, number = self._finished(), self.audience.entries(), 0
        with progress("recommending", self.n_people) as task:
            while part := list(islice(entries, PEOPLE_PER_PART)):
                if number in finished:
                    task.advance(len(part))
                else:
                    table = self._table(part, task)
                    with atomic_path(self.folder / f"{number:06}.{len(table)}.part") as temporary:
                        self.format.write(table, temporary)
                number += 1

    def join(self) -> Written:
        """Make the parts one file and remove them."""
        finished = self._finished()
        with atomic_path(self.out) as temporary:
            self.format.join([finished[number] for number in sorted(finished)], temporary)
        n_rows = sum(int(path.name.split(".")[1]) for path in finished.values())
        shutil.rmtree(self.folder)
        return Written(self.out, self.n_people, n_rows)

    def _table(self, part: Sequence[Any], task: Task) -> pa.Table:
        tables, at_once = [], self.recommender.at_once
        for start in range(0, len(part), at_once):
            some = [self.audience.person(entry, self.recommender) for entry in part[start : start + at_once]]
            ids, asked = [id for id, _ in some], [one for _, one in some]
            lists = self.recommender.rank(asked, self.order.k, self.order.n_reasons, self.rules)
            if self.format.nested:
                tables.append(self.naming.nested(ids, lists))
            else:
                tables.append(self.naming.flat(ids, lists, self.order.n_reasons))
            task.advance(len(some))
        return pa.concat_tables(tables)

    def _finished(self) -> dict[int, Path]:
        """Return the finished parts by number; their names tell their rows, too."""
        return {int(path.name.split(".")[0]): path for path in self.folder.glob("*.part")}

    def _plan(self) -> dict[str, Any]:
        """Return everything that the parts depend on."""
        return {
            "run": self.recommender.fingerprint,
            "audience": self.audience.fingerprint,
            "half_life": self.audience.half_life,
            "order": {**asdict(self.order), "rules": self.order.rules.model_dump(mode="json")},
            "people_per_part": PEOPLE_PER_PART,
        }
