"""What a run was judged on; runs can be held against one another where that is the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from irisrec.experiments.config import ExperimentConfig
from irisrec.experiments.folder import RunFolder, read_frame
from irisrec.files import sha256
from irisrec.recommendation.loading import INTERACTIONS
from irisrec.recommendation.storage import NEGATIVES


@dataclass(frozen=True)
class JudgedOn:
    """Data, split and candidates of a run: the pairs themselves, whatever the configs say.

    Attributes:
        data: fingerprint of the data set.
        split: hash of the pairs and the parts they belong to; the same in one process alone.
        candidates: (option, value) of what decides which candidates are sampled.
        negatives: hash of candidates that the data bring; empty where they bring none.
    """

    data: str
    split: str
    candidates: tuple[tuple[str, str], ...]
    negatives: str

    @classmethod
    def of(cls, folder: RunFolder, config: ExperimentConfig) -> JudgedOn:
        """Read what a run folder says."""
        names = ("n_sampled", "sampling", "seed")
        return cls(
            data=str(folder.read_info().get("data_fingerprint")),
            split=_hash(folder.path / INTERACTIONS),
            candidates=tuple((f"evaluation.{name}", str(getattr(config.evaluation, name))) for name in names),
            negatives=_hash(folder.path / NEGATIVES) if (folder.path / NEGATIVES).exists() else "",
        )


def _hash(path: Path) -> str:
    return sha256(read_frame(path).hash_rows().to_numpy().tobytes())
