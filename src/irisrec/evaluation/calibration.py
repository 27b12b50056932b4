"""Whether probabilities mean what they say: of items given 20 %, is one in five a target?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
N_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Probabilities against what happened.

    Attributes:
        ece: expected calibration error, the mean distance of probability and observed share, weighted by bin.
        negatives_per_target: weight of all sampled candidates of a user for each of the user's targets.
        weights: what that means, in words.
        probability, observed: (n_bins,) mean probability and share of targets in each bin, both weighted.
        share: (n_bins,) of the weight that falls into each bin; about equal.
    """

    ece: float
    negatives_per_target: float
    weights: str
    probability: tuple[float, ...]
    observed: tuple[float, ...]
    share: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}


def calibrate(
    targets: NDArray[np.floating],
    candidates: NDArray[np.floating],
    negatives_per_target: float,
    n_bins: int = N_BINS,
) -> Calibration:
    """Compare sigmoid(score) with how often a target stands behind it.

    Args:
        targets: (T,) scores of targets, each of weight 1.
        candidates: (C,) scores of sampled candidates, of equal weights that sum to ``negatives_per_target`` T: how
            many items a user does not want stand against each wanted one in the world that the probabilities are
            about, for example in training.
        negatives_per_target: as said.
        n_bins: of equal weight; most probabilities are small, and bins of equal width would be empty.
    """
    scores = np.concatenate([targets, candidates]).astype(np.float64)
    probability = 0.5 * (1 + np.tanh(scores / 2))  # the sigmoid, without overflow
    weight = np.ones(len(scores))
    weight[len(targets) :] = negatives_per_target * len(targets) / max(len(candidates), 1)
    is_target = np.arange(len(scores)) < len(targets)
    order = np.argsort(probability, kind="stable")
    passed = np.cumsum(weight[order])
    levels = np.minimum((n_bins * (passed - weight[order] / 2) / passed[-1]).astype(int), n_bins - 1)
    # equal probabilities share a bin: that of the first of them
    first = np.searchsorted(probability[order], probability[order], side="left")
    bins = np.empty(len(order), int)
    bins[order] = levels[first]
    sums = np.bincount(bins, weights=weight, minlength=n_bins)
    used = sums > 0
    said = np.bincount(bins, weights=weight * probability, minlength=n_bins)[used] / sums[used]
    seen = np.bincount(bins, weights=weight * is_target, minlength=n_bins)[used] / sums[used]
    share = sums[used] / sums.sum()
    words = (
        f"every target counts 1, and the sampled candidates together {negatives_per_target:g} for each target "
        f"({len(targets):,} targets, {len(candidates):,} candidates)"
    )
    ece = float(share @ np.abs(said - seen))
    return Calibration(
        ece, negatives_per_target, words, tuple(said.tolist()), tuple(seen.tolist()), tuple(share.tolist())
    )
