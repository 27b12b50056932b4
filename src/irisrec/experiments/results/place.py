"""Where runs were trained: machines by a short name, so that times of two are not compared unawares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irisrec.errors import count_of
from irisrec.experiments.reporting.finished import FinishedRun


@dataclass(frozen=True)
class Place:
    """What of a machine decides about the time of a training.

    Attributes:
        processor: as it calls itself; empty where a run does not know.
        cores: that the run could use.
        threads: that it used.
        gpu: that it was trained on; None for a training on the processor.
    """

    processor: str
    cores: int
    threads: int
    gpu: str | None

    @classmethod
    def of(cls, run: FinishedRun) -> Place:
        """Read what a run says of its machine; what is fitted without epochs is never fitted on a GPU."""
        machine: dict[str, Any] = run.info.get("machine") or {}
        on_gpu = bool(run.epochs) and run.config.training.device != "cpu"
        return cls(
            str(machine.get("processor", "")),
            int(machine.get("cores", 0)),
            int(run.info.get("threads", 0)),
            machine.get("gpu") if on_gpu else None,
        )

    def __str__(self) -> str:
        """Describe the machine."""
        threads = count_of(self.threads, "thread") if self.threads else "threads not known"
        if not self.processor:
            return f"a machine not known, {threads}"
        host = f"{self.processor}, {count_of(self.cores, 'core')}, {threads}"
        return f"{self.gpu}, beside {host}, which judged" if self.gpu else host


def name_places(runs: Sequence[FinishedRun]) -> dict[Place, str]:
    """Return a short name for each place: ``CPU`` or ``GPU``, with a number where there are several."""
    places = list(dict.fromkeys(Place.of(run) for run in runs))
    kinds = ["GPU" if place.gpu else "CPU" for place in places]
    return {
        place: kind if kinds.count(kind) == 1 else f"{kind} {kinds[: at + 1].count(kind)}"
        for at, (place, kind) in enumerate(zip(places, kinds, strict=True))
    }
