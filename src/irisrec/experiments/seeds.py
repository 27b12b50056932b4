"""What runs that differ in their seeds alone say together."""

from __future__ import annotations

from functools import cached_property

import polars as pl

from irisrec.evaluation.seeds import average_over_seeds, spread_over_seeds
from irisrec.experiments.folder import RunFolder


class OverSeeds:
    """Finished runs of one method, one for each seed; a subclass says in which folders they are."""

    @property
    def run_folders(self) -> tuple[RunFolder, ...]:
        """The folders, at least one."""
        raise NotImplementedError

    @cached_property
    def per_user(self) -> pl.DataFrame:
        """Every user's metrics, averaged over the seeds."""
        return average_over_seeds(self._frames)

    @cached_property
    def spread(self) -> dict[tuple[str, str], float]:
        """{(protocol, metric): standard deviation over the seeds}; empty for one seed."""
        return spread_over_seeds(self._frames)

    def values_of_seeds(self, protocol: str, metric: str) -> tuple[float, ...]:
        """Return the mean over users of each run, in their order."""
        parts = (frame.filter(pl.col("protocol") == protocol) for frame in self._frames)
        return tuple(float(part[metric].mean() or 0.0) for part in parts)  # type: ignore[arg-type]

    @cached_property
    def _frames(self) -> list[pl.DataFrame]:
        return [folder.read_per_user() for folder in self.run_folders]
